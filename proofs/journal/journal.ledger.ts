import { join } from 'node:path';
import type { JournaledChange } from '../../src/domain/pair-journal.js';
import type { RetainedChange } from '../../src/domain/retained-change.js';
import type { FilePairJournal } from '../../src/journal/file-pair.journal.js';
import type { SeededRandom } from '../harness/seeded.random.js';
import type { DamagedRange } from './disk.faults.js';
import { real, type DiskFault, type DiskWork } from './faulty.disk.js';

/** What is known of one change that was offered to a journal. */
interface Entry {
  readonly text: string;
  /** Where its record stands, once it was reported as durable. */
  place: { readonly path: string; readonly from: number; readonly to: number } | null;
  /** Nothing has to be replayed of it: the database has it, the disk damaged it itself, or it was erased. */
  excused: 'acknowledged' | 'damaged' | 'erased' | null;
}

/** Knows what journals said and what they gave back, and compares the two. */
export class JournalLedger {
  readonly faults = new Map<string, number>();
  readonly counts = {
    durable: 0,
    damaged: 0,
    acknowledged: 0,
    lost: 0,
    strange: 0,
    replayedAfterErase: 0,
    leftAfterErase: 0,
    thrown: 0,
    filesLeft: 0,
    bytesOver: 0,
  };
  private readonly entries = new Map<string, Entry>();

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }

  fault(fault: DiskFault): void {
    this.addFault(fault.kind === 'error' ? fault.code : nameOf(fault));
  }

  offered(change: RetainedChange): void {
    this.entries.set(change.authorizationId, { text: textOf(change), place: null, excused: null });
  }

  reportedDurable({ authorizationId }: RetainedChange, writes: DiskWork<unknown>['writes']): void {
    const entry = this.entries.get(authorizationId)!;
    const from = Math.min(...writes.map(({ offset }) => offset));
    const to = Math.max(...writes.map(({ offset, length }) => offset + length));
    entry.place = { path: writes[0]!.path, from, to };
    this.counts.durable += 1;
  }

  acknowledged({ authorizationId }: RetainedChange): void {
    const entry = this.entries.get(authorizationId);
    if (entry === undefined || entry.excused !== null) return;
    entry.excused = 'acknowledged';
    if (entry.place !== null) this.counts.acknowledged += 1;
  }

  damaged(path: string, { kind, from, to }: DamagedRange): void {
    this.addFault(kind);
    for (const entry of this.entries.values()) {
      const { place, excused } = entry;
      if (place?.path !== path || place.to <= from || place.from >= to || excused !== null) continue;
      entry.excused = 'damaged';
      this.counts.damaged += 1;
    }
  }

  /** @param folder - `null` when the disk kept the journal from erasing, and nothing is known. */
  erased(id: string, folder: string | null): void {
    this.entries.get(id)!.excused = folder === null ? 'acknowledged' : 'erased';
    if (folder !== null && textIn(folder).includes(id)) this.counts.leftAfterErase += 1;
  }

  replayed(change: RetainedChange): void {
    const entry = this.entries.get(change.authorizationId);
    if (entry?.text !== textOf(change)) this.counts.strange += 1;
    if (entry?.excused === 'erased') this.counts.replayedAfterErase += 1;
  }

  /** A pass without a fault reads every file, and gives each record once. */
  passed(batch: readonly JournaledChange[], { hasUnreadFiles }: FilePairJournal): void {
    if (hasUnreadFiles) this.counts.strange += 1;
    const receipts = new Set(batch.map(({ receipt }) => receipt));
    this.counts.strange += batch.length - receipts.size;
  }

  someId(random: SeededRandom): string | null {
    const ids = [...this.entries.keys()];
    return ids.length === 0 ? null : random.one(ids);
  }

  thrown(error: unknown): void {
    this.counts.thrown += 1;
    process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  }

  measure(folder: string, maxBytes: number): void {
    const sizes = real.readdirSync(folder).map((name) => real.statSync(join(folder, name)).size);
    if (sizes.reduce((sum, size) => sum + size, 0) > maxBytes) this.counts.bytesOver += 1;
  }

  /** A durable record that is not accounted for by now is lost. */
  closeEpisode(folder: string): void {
    this.counts.filesLeft += real.readdirSync(folder).length;
    this.counts.lost += [...this.entries.values()].filter(
      ({ place, excused }) => place !== null && excused === null,
    ).length;
    this.entries.clear();
  }

  private addFault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }
}

function nameOf(fault: Exclude<DiskFault, { kind: 'error' }>): string {
  if (fault.kind === 'short') return fault.thenFull ? 'short write, then full' : 'short write';
  if (fault.kind === 'crash') return fault.power ? 'crash, power lost' : 'crash';
  return 'unreadable file';
}

function textOf(change: RetainedChange): string {
  const { kind, authorizationId, version } = change;
  if (kind === 'disconnect') return JSON.stringify([kind, authorizationId, version]);
  const { accessToken, refreshToken } = change.pair;
  const tokens = [accessToken.reveal(), refreshToken?.reveal()];
  return JSON.stringify([kind, authorizationId, version, change.attemptId, ...tokens]);
}

function textIn(folder: string): string {
  return real
    .readdirSync(folder)
    .map((name) => real.readFileSync(join(folder, name), 'latin1'))
    .join();
}
