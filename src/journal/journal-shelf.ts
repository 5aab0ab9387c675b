import { statSync } from 'node:fs';
import type { AuthorizationId } from '../domain/authorization.js';
import type { JournalReceipt } from '../domain/pair-journal.js';
import type { RecordPlace } from './segment.js';

export interface ShelvedRecord {
  readonly receipt: JournalReceipt;
  readonly authorizationId: AuthorizationId;
  readonly place: RecordPlace;
  /** The database has it; it stays for the retention time. */
  confirmed: boolean;
}

export interface JournalFile {
  readonly path: string;
  readonly bytes: number;
  readonly createdMs: number;
  /** Some record could not be opened with today's keys: the file stays. */
  readonly isLocked?: boolean;
}

/** What is known of one file of the journal. */
export interface ShelvedFile extends JournalFile {
  readonly records: ShelvedRecord[];
}

/** Which records stand in which file, and which of them the database has. */
export class JournalShelf {
  private readonly files = new Map<string, ShelvedFile>();
  private readonly byReceipt = new Map<JournalReceipt, ShelvedRecord>();

  /** On disk, of the files that this process made or replayed. */
  get bytes(): number {
    return [...this.files.values()].reduce((sum, file) => sum + file.bytes, 0);
  }

  get recordCount(): number {
    return this.byReceipt.size;
  }

  addFile(known: JournalFile): ShelvedFile {
    const file: ShelvedFile = { ...known, records: [] };
    this.files.set(file.path, file);
    return file;
  }

  addRecord(file: ShelvedFile, authorizationId: AuthorizationId, place: RecordPlace): JournalReceipt {
    const receipt: JournalReceipt = Symbol('journal record');
    const record: ShelvedRecord = { receipt, authorizationId, place, confirmed: false };
    file.records.push(record);
    this.byReceipt.set(receipt, record);
    return receipt;
  }

  confirm(receipt: JournalReceipt): void {
    const record = this.byReceipt.get(receipt);
    if (record !== undefined) record.confirmed = true;
  }

  recordsOf(
    authorizationId: AuthorizationId,
  ): { readonly file: ShelvedFile; readonly record: ShelvedRecord }[] {
    return [...this.files.values()].flatMap((file) =>
      file.records
        .filter((record) => record.authorizationId === authorizationId)
        .map((record) => ({ file, record })),
    );
  }

  removeRecord(file: ShelvedFile, record: ShelvedRecord): void {
    file.records.splice(file.records.indexOf(record), 1);
    this.byReceipt.delete(record.receipt);
  }

  removeFile(file: ShelvedFile): void {
    for (const record of file.records) this.byReceipt.delete(record.receipt);
    this.files.delete(file.path);
  }

  /** Files that nobody needs any more: all confirmed, and nothing written to them since `beforeMs`. */
  outdated(beforeMs: number): readonly ShelvedFile[] {
    return [...this.files.values()].filter(
      (file) =>
        file.isLocked !== true &&
        file.records.every((record) => record.confirmed) &&
        lastWriteTo(file) < beforeMs,
    );
  }
}

/** Asked of the file system: another process may have gone on writing to a file that we only replayed. */
function lastWriteTo(file: ShelvedFile): number {
  return statSync(file.path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
