import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '../config/resolve-config.js';
import { Clock } from '../domain/clock.js';
import type { JournalChange } from '../domain/pair-journal.js';
import type { RetainedChange, RetainedPair } from '../domain/retained-change.js';
import { Secret } from '../domain/secret.js';
import { KeyRingCipher } from '../encryption/key-ring.cipher.js';
import { FilePairJournal } from './file-pair.journal.js';
import { idOfChange } from './journal-record.js';

class TestClock extends Clock {
  nowMs = Date.now();

  override now(): Date {
    return new Date(this.nowMs);
  }

  override monotonicMs(): number {
    return this.nowMs;
  }

  override sleep(): Promise<void> {
    return Promise.resolve();
  }
}

describe('FilePairJournal', () => {
  let folder: string;
  const clock = new TestClock();
  const key = { id: 'k1', key: randomBytes(32).toString('base64') };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'notion-journal-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function journal(
    encryptionKey = key,
    refresh: { retainMs?: number; journalMaxBytes?: number } = {},
  ): FilePairJournal {
    const config = resolveConfig({
      clientId: 'client',
      clientSecret: 'a secret of the client',
      redirectUris: ['https://app.example/notion/callback'],
      encryptionKeys: [encryptionKey],
      refresh,
    });
    return new FilePairJournal({ folder, config, cipher: new KeyRingCipher(config), clock });
  }

  function somePair(version = 2, authorizationId: string = randomUUID()): RetainedPair {
    return {
      kind: 'pair',
      authorizationId,
      version,
      attemptId: randomUUID(),
      pair: {
        accessToken: new Secret(`canary-access-${randomUUID()}`),
        refreshToken: new Secret(`canary-refresh-${randomUUID()}`),
        expiresInMs: null,
      },
    };
  }

  function revealed(retained: JournalChange) {
    if (retained.kind !== 'pair') return retained;
    const { accessToken, refreshToken } = retained.pair;
    return { ...retained, pair: [accessToken.reveal(), refreshToken?.reveal()] };
  }

  function files(): string[] {
    return readdirSync(folder).map((name) => join(folder, name));
  }

  it('makes its file when it is prepared, so that a record costs one write', () => {
    const kept = journal();
    kept.prepare();
    const prepared = files();
    expect(prepared).toHaveLength(1);
    kept.record(somePair());
    expect(files()).toEqual(prepared);
  });

  it('is silent when it cannot be prepared, and still answers a record with null', () => {
    const full = journal(key, { journalMaxBytes: 16 * 1024 });
    full.prepare();
    const other = journal(key, { journalMaxBytes: 16 * 1024 });
    other.replay();
    other.prepare();
    expect(files()).toHaveLength(1);
    expect(other.record(somePair())).toBeNull();
  });

  it('gives back what an earlier process recorded, in order', () => {
    const pairs = [somePair(2), somePair(3), somePair(4)];
    const first = journal();
    for (const pair of pairs) expect(first.record(pair)).not.toBeNull();
    const replayed = journal().replay();
    expect(replayed.map((one) => revealed(one.retained))).toEqual(pairs.map(revealed));
  });

  it('keeps a disconnect too', () => {
    const disconnect: RetainedChange = { kind: 'disconnect', authorizationId: randomUUID(), version: 7 };
    journal().record(disconnect);
    expect(
      journal()
        .replay()
        .map((one) => one.retained),
    ).toEqual([disconnect]);
  });

  it('keeps nothing in clear, and lets only its owner read', () => {
    const pair = somePair();
    journal().record(pair);
    const bytes = files()
      .map((path) => readFileSync(path, 'latin1'))
      .join();
    expect(bytes).toContain(pair.authorizationId);
    expect(bytes).not.toContain('canary');
    expect(files().map((path) => statSync(path).mode & 0o777)).toEqual([0o600]);
  });

  it('goes on in a new file when one is full', () => {
    const writer = journal();
    for (let version = 2; version < 700; version += 1) writer.record(somePair(version));
    expect(files().length).toBeGreaterThan(1);
    expect(journal().replay()).toHaveLength(698);
  });

  it('finds what stands before a torn record, and sets a copy of the file aside', () => {
    const writer = journal();
    const whole = somePair();
    writer.record(whole);
    writer.record(somePair());
    const [path] = files() as [string];
    const bytes = readFileSync(path);
    const end = bytes.findLastIndex((byte) => byte !== 0);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, end - 20), Buffer.alloc(bytes.length - end + 20)]));
    const replayed = journal().replay();
    expect(replayed.map((one) => idOfChange(one.retained))).toEqual([whole.authorizationId]);
    expect(files().filter((name) => name.endsWith('.damaged'))).toHaveLength(1);
  });

  it('survives a file of noise', () => {
    writeFileSync(join(folder, '1-noise.pairs'), randomBytes(4_096));
    expect(journal().replay()).toEqual([]);
  });

  it('leaves records whose key is missing where they are', () => {
    journal().record(somePair());
    const other = journal({ id: 'k2', key: randomBytes(32).toString('base64') }, { retainMs: 1 });
    expect(other.replay()).toEqual([]);
    ageFiles();
    other.clean();
    expect(journal().replay()).toHaveLength(1);
  });

  it('removes a file when all of it is confirmed and the retention time is over, not before', () => {
    const writer = journal();
    const receipts = [writer.record(somePair()), writer.record(somePair())];
    ageFiles();
    writer.confirm(receipts[0]!);
    writer.clean();
    expect(files()).toHaveLength(1);
    writer.confirm(receipts[1]!);
    writer.clean();
    expect(files()).toEqual([]);
    expect(writer.size).toBe(0);
  });

  it('overwrites every record of an authorization and no other', () => {
    const writer = journal();
    const [gone, stays] = [somePair(), somePair()];
    writer.record(gone);
    writer.record(stays);
    writer.record(somePair(3, gone.authorizationId));
    writer.erase(gone.authorizationId);
    expect(
      files()
        .map((path) => readFileSync(path, 'latin1'))
        .join(),
    ).not.toContain(gone.authorizationId);
    expect(
      journal()
        .replay()
        .map((one) => idOfChange(one.retained)),
    ).toEqual([stays.authorizationId]);
  });

  it('has room for what a process leaves that is killed a hundred times', () => {
    const records = Array.from({ length: 100 }, () => {
      const restarted = journal(key, { journalMaxBytes: 2 * 2 ** 20 });
      restarted.replay();
      return restarted.record(somePair());
    });
    expect(records).not.toContain(null);
  });

  it('keeps to its bytes, whatever it is made of', () => {
    const kept = journal(key, { journalMaxBytes: 200_000 });
    while (kept.record(somePair()) !== null);
    const bytes = files().reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThanOrEqual(200_000);
    expect(bytes).toBeGreaterThan(190_000);
  });

  it('answers null instead of failing when it is full or cannot write', () => {
    const full = journal(key, { journalMaxBytes: 200_000 });
    let recorded = 0;
    while (full.record(somePair()) !== null) recorded += 1;
    expect(recorded).toBeGreaterThan(100);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'not a folder');
    expect(journal().record(somePair())).toBeNull();
    expect(journal().replay()).toEqual([]);
  });

  function ageFiles(): void {
    const longAgo = new Date(Date.now() - 60 * 60_000);
    for (const path of files()) utimesSync(path, longAgo, longAgo);
  }
});
