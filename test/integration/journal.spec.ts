import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationStore, NotionConfigError, TypeOrmAuthorizationStore } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { resolveConfig } from '../../src/config/resolve-config.js';
import { SystemClock } from '../../src/domain/clock.js';
import type { RetainedChange } from '../../src/domain/retained-change.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { FilePairJournal } from '../../src/journal/file-pair.journal.js';
import { JOURNAL_KEY, somePair } from '../support/journal.fixtures.js';
import type { JournalReport } from '../support/journal.process.js';
import { NotionApp, type NotionAppOptions } from '../support/notion-app.js';
import { temporaryFolder } from '../support/storage.harness.js';

const PROCESS = resolve('build/test/support/journal.process.js');

/** What each process asked of a database that fails the first time it hears of a change. */
const asked: string[] = [];

class FailingStore extends TypeOrmAuthorizationStore {
  override rollForward(retained: RetainedChange) {
    const isFirst = !asked.includes(retained.authorizationId);
    asked.push(retained.authorizationId);
    return isFirst ? Promise.reject(new Error('the database is away')) : super.rollForward(retained);
  }
}

describe('the journal of an application', () => {
  let simulator: NotionSimulator;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    simulator = await NotionSimulator.start();
    folder = await temporaryFolder();
  });

  afterAll(async () => {
    await simulator.close();
    await folder.remove();
  });

  function start(journalFolder: string, options: NotionAppOptions = {}): Promise<NotionApp> {
    return NotionApp.start(simulator, {
      databaseFile: join(folder.path, `${randomUUID()}.sqlite`),
      encryptionKeys: [JOURNAL_KEY],
      refresh: { journalFolder },
      ...options,
    });
  }

  /** What a process left that was killed. */
  function leaveBehind(journalFolder: string, changes: readonly RetainedChange[]): void {
    const config = resolveConfig({
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: ['https://app.example/notion/callback'],
      encryptionKeys: [JOURNAL_KEY],
    });
    const cipher = new KeyRingCipher(config);
    const journal = new FilePairJournal({ folder: journalFolder, config, cipher, clock: new SystemClock() });
    for (const change of changes) journal.record(change);
    journal.onApplicationShutdown();
  }

  it('does not start in production with a journal folder that is a file, and starts elsewhere', async () => {
    const file = join(folder.path, 'a file');
    writeFileSync(file, '');
    const started = start(file, { production: true, allowInsecureUrls: true });
    await expect(started).rejects.toThrow(NotionConfigError);
    await expect(started).rejects.toThrow(/refresh\.journalFolder \(NOTION_AUTH_JOURNAL_DIR\)/);
    await (await start(file)).close();
  });

  it('replays again what the database did not take, beside a file that cannot be read', async () => {
    const journalFolder = join(folder.path, 'journal');
    const changes = [somePair(), somePair(), somePair()];
    leaveBehind(journalFolder, changes);
    mkdirSync(join(journalFolder, '0-unreadable.pairs'));
    const app = await start(journalFolder, {
      providers: [{ provide: AuthorizationStore, useClass: FailingStore }],
    });
    while (asked.length < 2 * changes.length) await sleep(50);
    await app.close();
    const ids = changes.map(({ authorizationId }) => authorizationId);
    expect([...asked].sort()).toEqual([...ids, ...ids].sort());
  }, 30_000);

  it('reports as durable only what is read back, when the kernel cuts a write short', () => {
    // In blocks of 512 bytes: the second file of the journal does not fit.
    const limited = ['-c', 'ulimit -f 40; exec "$0" --no-warnings "$1"', process.execPath, PROCESS];
    const report = JSON.parse(execFileSync('/bin/sh', limited, { encoding: 'utf8' })) as JournalReport;
    expect(report.durable.length).toBeGreaterThan(10);
    expect(report.notJournaled).toBeGreaterThan(10);
    expect(report.replayed).toEqual(report.durable);
    expect(report).toMatchObject({ files: 1, descriptorsLeaked: 0 });
  }, 30_000);
});
