import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { resolveConfig } from '../../src/config/resolve-config.js';
import { Clock } from '../../src/domain/clock.js';
import { MINUTE_MS } from '../../src/domain/duration.js';
import type { JournaledChange, JournalReceipt } from '../../src/domain/pair-journal.js';
import type { RetainedChange } from '../../src/domain/retained-change.js';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { FilePairJournal } from '../../src/journal/file-pair.journal.js';
import type { SeededRandom } from '../harness/seeded.random.js';
import { anyFault, damageFile } from './disk.faults.js';
import { real, type DiskFault, type DiskWork, type FaultyDisk } from './faulty.disk.js';
import type { JournalLedger } from './journal.ledger.js';

const RETAIN_MS = 15 * MINUTE_MS;
const MAX_BYTES = 512 * 1024;
const STEPS = 60;
const KEY = { id: 'k1', key: randomBytes(32).toString('base64') };

/** Time that passes when the episode says so; no two files are made at the same. */
export class EpisodeClock extends Clock {
  /** Far from the time of the machine, by which nothing may be decided here. */
  private ms = Date.UTC(2100, 0);

  override now(): Date {
    return new Date(this.ms);
  }

  override monotonicMs(): number {
    return this.ms;
  }

  override sleep(): Promise<void> {
    return Promise.resolve();
  }

  pass(ms: number): void {
    this.ms += ms;
  }
}

/** One process with its journal, which may end at any call. */
interface Writer {
  readonly journal: FilePairJournal;
  /** What it recorded and the database does not have. */
  readonly pending: Map<JournalReceipt, RetainedChange>;
}

/** Some processes that share a folder, for a while in which the disk fails. */
export class DiskEpisode {
  private readonly writers: Writer[] = [];

  constructor(
    private readonly folder: string,
    private readonly disk: FaultyDisk,
    private readonly random: SeededRandom,
    private readonly clock: EpisodeClock,
    private readonly ledger: JournalLedger,
  ) {}

  run(): void {
    real.mkdirSync(this.folder, { mode: 0o700 });
    this.start(null);
    for (let step = 0; step < STEPS; step += 1) this.step();
    this.end();
  }

  private step(): void {
    this.clock.pass(this.random.chance(0.05) ? RETAIN_MS / 3 : 1);
    const writer = this.random.one(this.writers);
    const fault = this.random.chance(0.3) ? anyFault(this.random, this.files()) : null;
    const dice = this.random.next();
    if (dice < 0.6) this.record(writer, fault);
    else if (dice < 0.7) this.confirm(writer);
    else if (dice < 0.75)
      this.work(writer, fault, ({ journal }) => {
        journal.prepare();
      });
    else if (dice < 0.8)
      this.work(writer, fault, ({ journal }) => {
        journal.clean();
      });
    else if (dice < 0.85) this.disconnect(writer, fault);
    else if (dice < 0.93) this.damage();
    else if (dice < 0.97 || this.writers.length === 3) this.restart(writer, fault);
    else this.start(fault);
    this.ledger.measure(this.folder, MAX_BYTES);
  }

  private record(writer: Writer, fault: DiskFault | null): void {
    const change = this.someChange();
    this.ledger.offered(change);
    const done = this.work(writer, fault, ({ journal }) => journal.record(change));
    if (done.result == null) return;
    this.ledger.reportedDurable(change, done.writes);
    writer.pending.set(done.result, change);
  }

  private confirm({ journal, pending }: Writer): void {
    for (const [receipt, change] of pending) {
      if (this.random.chance(0.3)) continue;
      journal.confirm(receipt);
      pending.delete(receipt);
      this.ledger.acknowledged(change);
    }
  }

  private disconnect(writer: Writer, fault: DiskFault | null): void {
    const id = this.ledger.someId(this.random);
    if (id === null) return;
    const { fired } = this.work(writer, fault, ({ journal }) => {
      journal.erase(id);
    });
    this.ledger.erased(id, fired ? null : this.folder);
  }

  /** Bits that change, sectors that are lost, files that are cut off. */
  private damage(): void {
    const path = this.files().length === 0 ? null : this.random.one(this.files());
    if (path !== null) this.ledger.damaged(path, damageFile(this.random, path));
  }

  private restart(writer: Writer, fault: DiskFault | null): void {
    this.stop(writer);
    this.start(fault);
  }

  private start(fault: DiskFault | null): void {
    const writer: Writer = { journal: this.newJournal(), pending: new Map() };
    this.writers.push(writer);
    this.replay(writer, fault);
  }

  /** A pass in which the database takes a part, and a second pass, in which it takes everything. */
  private replay(writer: Writer, fault: DiskFault | null): void {
    const first = this.work(writer, fault, ({ journal }) => wholePass(journal)).result ?? [];
    for (const one of first) this.take(writer, one, 0.5);
    if (!this.writers.includes(writer)) return;
    const second = this.work(writer, null, ({ journal }) => wholePass(journal)).result ?? [];
    this.ledger.passed(second, writer.journal);
    for (const one of second) this.take(writer, one, 1);
  }

  private take({ journal }: Writer, { retained, receipt }: JournaledChange, chance: number): void {
    this.ledger.replayed(retained);
    if (!this.random.chance(chance)) return;
    journal.confirm(receipt);
    this.ledger.acknowledged(retained);
  }

  private work<Result>(
    writer: Writer,
    fault: DiskFault | null,
    work: (writer: Writer) => Result,
  ): DiskWork<Result> {
    const done = this.disk.run(writer, fault, () => work(writer));
    if (done.fired) this.ledger.fault(fault!);
    if (done.thrown !== undefined) this.ledger.thrown(done.thrown);
    if (done.crashed) this.remove(writer);
    if (this.writers.length === 0) this.start(null);
    return done;
  }

  private stop(writer: Writer): void {
    this.work(writer, null, ({ journal }) => {
      journal.onApplicationShutdown();
    });
    this.remove(writer);
  }

  private remove(writer: Writer): void {
    this.writers.splice(this.writers.indexOf(writer), 1);
  }

  /** Everything ends, and the last process finds a disk that works. */
  private end(): void {
    for (const writer of [...this.writers]) this.stop(writer);
    const last: Writer = { journal: this.newJournal(), pending: new Map() };
    this.writers.push(last);
    this.replay(last, null);
    this.clock.pass(2 * RETAIN_MS);
    this.work(last, null, ({ journal }) => {
      journal.clean();
    });
    this.stop(last);
    this.ledger.closeEpisode(this.folder);
    real.rmSync(this.folder, { recursive: true });
  }

  private files(): string[] {
    // In the order of their making: a folder lists them in an order of its own.
    return real
      .readdirSync(this.folder)
      .sort()
      .map((name) => join(this.folder, name));
  }

  private someChange(): RetainedChange {
    const authorizationId = randomUUID();
    const version = this.random.whole(2, 1_000);
    if (this.random.chance(0.1)) return { kind: 'disconnect', authorizationId, version };
    const token = (kind: string) => new Secret(`${kind}_${'x'.repeat(this.random.whole(40, 400))}`);
    const pair = { accessToken: token('ntn'), refreshToken: token('nrt'), expiresInMs: null };
    return { kind: 'pair', authorizationId, version, attemptId: randomUUID(), pair };
  }

  private newJournal(): FilePairJournal {
    const config = resolveConfig({
      clientId: 'client',
      clientSecret: 'a secret of the client',
      redirectUris: ['https://app.example/notion/callback'],
      encryptionKeys: [KEY],
      refresh: { retainMs: RETAIN_MS, journalMaxBytes: MAX_BYTES },
    });
    return new FilePairJournal({
      folder: this.folder,
      config,
      cipher: new KeyRingCipher(config),
      clock: this.clock,
    });
  }
}

function wholePass(journal: FilePairJournal): JournaledChange[] {
  const all: JournaledChange[] = [];
  for (let batch = journal.replay(); batch.length > 0; batch = journal.replay()) all.push(...batch);
  return all;
}
