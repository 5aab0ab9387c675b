import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '../../src/config/resolve-config.js';
import { Clock } from '../../src/domain/clock.js';
import type { RetainedChange, RetainedPair } from '../../src/domain/retained-change.js';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import type { FilePairJournal, FilePairJournalOptions } from '../../src/journal/file-pair.journal.js';

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

export const JOURNAL_KEY = { id: 'k1', key: randomBytes(32).toString('base64') };

interface JournalSettings {
  readonly key?: typeof JOURNAL_KEY;
  readonly retainMs?: number;
  readonly journalMaxBytes?: number;
  readonly production?: boolean;
}

/** A folder for journals, each of which is a process of its own as far as the journal can tell. */
export class JournalFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'notion-journal-'));
  readonly clock = new TestClock();

  constructor(private readonly JournalClass: new (options: FilePairJournalOptions) => FilePairJournal) {}

  journal(settings: JournalSettings = {}, folder: string = this.path): FilePairJournal {
    const { key = JOURNAL_KEY, production = false, ...refresh } = settings;
    const config = resolveConfig({
      clientId: 'client',
      clientSecret: 'a secret of the client',
      redirectUris: ['https://app.example/notion/callback'],
      encryptionKeys: [key],
      production,
      refresh,
    });
    return new this.JournalClass({ folder, config, cipher: new KeyRingCipher(config), clock: this.clock });
  }

  files(): string[] {
    return readdirSync(this.path).map((name) => join(this.path, name));
  }

  /** All that is on disk. */
  text(): string {
    return this.files()
      .map((path) => readFileSync(path, 'latin1'))
      .join();
  }

  /** Makes every file as old as one that nothing was written to for an hour. */
  age(): void {
    const longAgo = new Date(Date.now() - 60 * 60_000);
    for (const path of this.files()) utimesSync(path, longAgo, longAgo);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function somePair(version = 2, authorizationId: string = randomUUID()): RetainedPair {
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

export function revealed(retained: RetainedChange) {
  if (retained.kind === 'disconnect') return retained;
  const { accessToken, refreshToken } = retained.pair;
  return { ...retained, pair: [accessToken.reveal(), refreshToken?.reveal()] };
}

/** One whole pass over what a journal replays, in the order of ids where files were made at the same time. */
export function replayedIds(journal: FilePairJournal): string[] {
  const ids: string[] = [];
  for (let batch = journal.replay(); batch.length > 0; batch = journal.replay())
    ids.push(...batch.map(({ retained }) => retained.authorizationId));
  return ids.sort();
}

/** The ids of changes, as {@link replayedIds} orders them. */
export function idsOf(changes: readonly RetainedChange[]): string[] {
  return changes.map(({ authorizationId }) => authorizationId).sort();
}
