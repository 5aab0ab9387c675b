import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  idsOf,
  JOURNAL_KEY,
  JournalFolder,
  replayedIds,
  revealed,
  somePair,
} from '../../test/support/journal.fixtures.js';
import { NotionConfigError } from '../domain/errors.js';
import type { RetainedChange } from '../domain/retained-change.js';
import { FilePairJournal } from './file-pair.journal.js';

const OTHER_KEY = { id: 'k2', key: randomBytes(32).toString('base64') };

describe('FilePairJournal', () => {
  let folder: JournalFolder;

  beforeEach(() => {
    folder = new JournalFolder(FilePairJournal);
  });

  afterEach(() => {
    folder.remove();
  });

  /** The bytes of a file, changed. */
  function change(path: string, edit: (bytes: Buffer) => void): void {
    const bytes = readFileSync(path);
    edit(bytes);
    writeFileSync(path, bytes);
  }

  it('makes its file when it is prepared, so that a record costs one write', () => {
    const kept = folder.journal();
    kept.prepare();
    const prepared = folder.files();
    expect(prepared).toHaveLength(1);
    kept.record(somePair());
    expect(folder.files()).toEqual(prepared);
  });

  it('is silent when it cannot be prepared, and still answers a record with null', () => {
    const full = folder.journal({ journalMaxBytes: 16 * 1024 });
    full.prepare();
    const other = folder.journal({ journalMaxBytes: 16 * 1024 });
    other.replay();
    other.prepare();
    expect(folder.files()).toHaveLength(1);
    expect(other.record(somePair())).toBeNull();
  });

  it('gives back what an earlier process recorded, in order', () => {
    const pairs = [somePair(2), somePair(3), somePair(4)];
    const first = folder.journal();
    for (const pair of pairs) expect(first.record(pair)).not.toBeNull();
    const replayed = folder.journal().replay();
    expect(replayed.map((one) => revealed(one.retained))).toEqual(pairs.map(revealed));
  });

  it('keeps a disconnect too', () => {
    const disconnect: RetainedChange = { kind: 'disconnect', authorizationId: randomUUID(), version: 7 };
    folder.journal().record(disconnect);
    expect(
      folder
        .journal()
        .replay()
        .map((one) => one.retained),
    ).toEqual([disconnect]);
  });

  it('keeps nothing in clear, and lets only its owner read', () => {
    const pair = somePair();
    folder.journal().record(pair);
    const bytes = folder
      .files()
      .map((path) => readFileSync(path, 'latin1'))
      .join();
    expect(bytes).toContain(pair.authorizationId);
    expect(bytes).not.toContain('canary');
    expect(folder.files().map((path) => statSync(path).mode & 0o777)).toEqual([0o600]);
  });

  it('goes on in a new file when one is full', () => {
    const writer = folder.journal();
    for (let version = 2; version < 700; version += 1) writer.record(somePair(version));
    expect(folder.files().length).toBeGreaterThan(1);
    expect(replayedIds(folder.journal())).toHaveLength(698);
  });

  it('loses the damaged record alone, and keeps no copy of it', () => {
    const pairs = [somePair(), somePair(), somePair()];
    const writer = folder.journal();
    for (const pair of pairs) writer.record(pair);
    const [path] = folder.files() as [string];
    change(path, (bytes) => {
      bytes[bytes.indexOf(pairs[1]!.authorizationId) + 60]! ^= 1;
    });
    expect(replayedIds(folder.journal())).toEqual(idsOf([pairs[0]!, pairs[2]!]));
    expect(folder.files()).toEqual([path]);
  });

  it('keeps what stands before the place where a file was cut off', () => {
    const writer = folder.journal();
    const whole = somePair();
    writer.record(whole);
    const cut = somePair();
    writer.record(cut);
    const [path] = folder.files() as [string];
    truncateSync(path, readFileSync(path).indexOf(cut.authorizationId) + 50);
    expect(replayedIds(folder.journal())).toEqual(idsOf([whole]));
  });

  it('survives a file of noise', () => {
    writeFileSync(join(folder.path, '1-noise.pairs'), randomBytes(4_096));
    expect(folder.journal().replay()).toEqual([]);
  });

  it('leaves records whose key is missing where they are', () => {
    folder.journal().record(somePair());
    const other = folder.journal({ key: OTHER_KEY, retainMs: 1 });
    expect(other.replay()).toEqual([]);
    folder.age();
    other.clean();
    expect(folder.journal().replay()).toHaveLength(1);
  });

  it('removes a file when all of it is confirmed and the retention time is over, not before', () => {
    const writer = folder.journal();
    const receipts = [writer.record(somePair()), writer.record(somePair())];
    folder.age();
    writer.confirm(receipts[0]!);
    writer.clean();
    expect(folder.files()).toHaveLength(1);
    writer.confirm(receipts[1]!);
    writer.clean();
    expect(folder.files()).toEqual([]);
    expect(writer.size).toBe(0);
  });

  it('overwrites every record of an authorization and no other', () => {
    const writer = folder.journal();
    const [gone, stays] = [somePair(), somePair()];
    writer.record(gone);
    writer.record(stays);
    writer.record(somePair(3, gone.authorizationId));
    writer.erase(gone.authorizationId);
    expect(
      folder
        .files()
        .map((path) => readFileSync(path, 'latin1'))
        .join(),
    ).not.toContain(gone.authorizationId);
    expect(
      folder
        .journal()
        .replay()
        .map((one) => one.retained.authorizationId),
    ).toEqual([stays.authorizationId]);
  });

  it('has room for what a process leaves that is killed a hundred times', () => {
    const records = Array.from({ length: 100 }, () => {
      const restarted = folder.journal({ journalMaxBytes: 2 * 2 ** 20 });
      restarted.replay();
      return restarted.record(somePair());
    });
    expect(records).not.toContain(null);
  });

  it('keeps to its bytes, whatever it is made of', () => {
    const kept = folder.journal({ journalMaxBytes: 200_000 });
    while (kept.record(somePair()) !== null);
    const bytes = folder.files().reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThanOrEqual(200_000);
    expect(bytes).toBeGreaterThan(190_000);
  });

  it('answers null instead of failing when it is full or cannot write', () => {
    const full = folder.journal({ journalMaxBytes: 200_000 });
    let recorded = 0;
    while (full.record(somePair()) !== null) recorded += 1;
    expect(recorded).toBeGreaterThan(100);
    folder.remove();
    writeFileSync(folder.path, 'not a folder');
    expect(folder.journal().record(somePair())).toBeNull();
    expect(folder.journal().replay()).toEqual([]);
  });

  describe('with a file that cannot be read', () => {
    it.each([
      [
        'a folder',
        (path: string) => {
          mkdirSync(path);
        },
      ],
      ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
      [
        'a link to nowhere',
        (path: string) => {
          symlinkSync('/nowhere', path);
        },
      ],
      [
        'far too long',
        (path: string) => {
          writeFileSync(path, '');
          truncateSync(path, 2 ** 32);
        },
      ],
    ])('replays every other file, and leaves the one that is %s', (_name, make) => {
      const pairs = [somePair(), somePair()];
      folder.journal().record(pairs[0]!);
      const bad = join(folder.path, '1-bad.pairs');
      make(bad);
      folder.journal().record(pairs[1]!);
      const restarted = folder.journal();
      expect(replayedIds(restarted)).toEqual(idsOf(pairs));
      expect(restarted.hasUnreadFiles).toBe(true);
      expect(folder.files()).toContain(bad);
      rmSync(bad, { recursive: true });
      replayedIds(restarted);
      expect(restarted.hasUnreadFiles).toBe(false);
    });
  });

  describe('replaying', () => {
    it('hands out some hundreds of records at a time', () => {
      const writer = folder.journal();
      for (let version = 2; version < 1_202; version += 1) writer.record(somePair(version));
      const restarted = folder.journal();
      const batches = [1, 2, 3, 4].map(() => restarted.replay().length);
      expect(batches).toEqual([500, 500, 200, 0]);
    });

    it('repeats what is not confirmed, knows each record once, and leaves its own records alone', () => {
      const writer = folder.journal();
      const pairs = [somePair(), somePair(), somePair()];
      for (const pair of pairs) writer.record(pair);
      const restarted = folder.journal();
      restarted.record(somePair());
      const [first, second] = restarted.replay();
      restarted.confirm(first!.receipt);
      expect(restarted.replay()).toEqual([]);
      const again = restarted.replay();
      expect(again.map(({ receipt }) => receipt)).toContain(second!.receipt);
      expect(again).toHaveLength(2);
      expect(restarted.size).toBe(4);
      for (const { receipt } of again) restarted.confirm(receipt);
      folder.age();
      restarted.clean();
      // Its own, whose record is not confirmed.
      expect(folder.files()).toHaveLength(1);
    });

    it('keeps a file to which another process has added what is not known here', () => {
      const other = folder.journal();
      other.record(somePair());
      const restarted = folder.journal();
      for (const { receipt } of restarted.replay()) restarted.confirm(receipt);
      const added = somePair();
      other.record(added);
      folder.age();
      restarted.clean();
      expect(replayedIds(folder.journal())).toContain(added.authorizationId);
    });
  });

  describe('a forged or altered record', () => {
    it('of a disconnect is not replayed, and hides no other', () => {
      const writer = folder.journal();
      const pair = somePair();
      writer.record({ kind: 'disconnect', authorizationId: randomUUID(), version: 7 });
      writer.record(pair);
      // The forger gives its own key the name of ours.
      const forger = folder.journal({ key: { ...OTHER_KEY, id: JOURNAL_KEY.id } });
      forger.record({ kind: 'disconnect', authorizationId: pair.authorizationId, version: 99 });
      const replayed = folder
        .journal()
        .replay()
        .map(({ retained }) => retained);
      expect(replayed.map(({ kind }) => kind).sort()).toEqual(['disconnect', 'pair']);
      expect(replayed).not.toContainEqual(expect.objectContaining({ version: 99 }));
    });
  });

  describe('a disconnect', () => {
    it('erases the records of other processes too, whether they were replayed or not', () => {
      const [early, late] = [folder.journal(), folder.journal()];
      const gone = somePair();
      early.record(gone);
      const here = folder.journal();
      here.replay();
      early.record(somePair(3, gone.authorizationId));
      late.record(somePair(4, gone.authorizationId));
      const stays = somePair();
      late.record(stays);
      here.erase(gone.authorizationId);
      expect(folder.text()).not.toContain(gone.authorizationId);
      expect(replayedIds(folder.journal())).toEqual(idsOf([stays]));
    });

    it('erases records whose key is missing', () => {
      const gone = somePair();
      folder.journal().record(gone);
      const other = folder.journal({ key: OTHER_KEY });
      other.replay();
      other.erase(gone.authorizationId);
      expect(folder.text()).not.toContain(gone.authorizationId);
      expect(other.size).toBe(0);
    });

    it('erases what is damaged and names the authorization, and later all that is damaged', () => {
      const [named, nameless] = [somePair(), somePair()];
      const writer = folder.journal();
      for (const pair of [named, somePair(), nameless]) writer.record(pair);
      const [path] = folder.files() as [string];
      const rest = () => readFileSync(path, 'latin1');
      change(path, (bytes) => {
        bytes[bytes.indexOf(named.authorizationId) + 60]! ^= 1;
        bytes.write('x', bytes.indexOf(nameless.authorizationId));
      });
      const nameTail = nameless.authorizationId.slice(1);
      const restarted = folder.journal();
      restarted.replay();
      restarted.erase(named.authorizationId);
      expect(rest()).not.toContain(named.authorizationId);
      expect(rest()).toContain(nameTail);
      folder.age();
      restarted.erase(randomUUID());
      expect(rest()).not.toContain(nameTail);
      expect(replayedIds(folder.journal())).toHaveLength(1);
    });
  });

  describe('the folder', () => {
    it('is made when the application starts', () => {
      folder.journal({ production: true }, join(folder.path, 'a', 'b')).onModuleInit();
      expect(statSync(join(folder.path, 'a', 'b')).mode & 0o777).toBe(0o700);
    });

    it('is left as it was found', () => {
      folder.journal({ production: true }).onModuleInit();
      expect(folder.files()).toEqual([]);
    });

    it.each([
      ['is a file', (path: string) => path],
      ['is in a file', (path: string) => join(path, 'journal')],
    ])('stops the start in production when it %s, and is only a warning elsewhere', (_name, pathOf) => {
      const file = join(folder.path, 'file');
      writeFileSync(file, '');
      const unusable = pathOf(file);
      expect(() => {
        folder.journal({ production: true }, unusable).onModuleInit();
      }).toThrow(NotionConfigError);
      expect(() => {
        folder.journal({ production: true }, unusable).onModuleInit();
      }).toThrow(/refresh\.journalFolder \(NOTION_AUTH_JOURNAL_DIR\): .*Make it a directory/);
      folder.journal({}, unusable).onModuleInit();
    });
  });

  it('counts the files of every process against its bytes', () => {
    const other = folder.journal();
    for (let version = 2; version < 300; version += 1) other.record(somePair(version));
    const bytes = () => folder.files().reduce((sum, path) => sum + statSync(path).size, 0);
    const journalMaxBytes = bytes() + 20 * 1024;
    const here = folder.journal({ journalMaxBytes });
    while (here.record(somePair()) !== null);
    expect(bytes()).toBeLessThanOrEqual(journalMaxBytes);
  });
});
