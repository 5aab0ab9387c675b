import type { JournalReceipt } from '../domain/pair-journal.js';

/** What another process' file was when it was read. It may hold more by now. */
export interface FileAsRead {
  readonly modifiedMs: number;
  /** Where its last record ended. */
  readonly knownBytes: number;
}

/** What is known of one file of the journal. */
export interface ShelvedFile {
  readonly path: string;
  readonly createdMs: number;
  /** `null` for a file of this process, which alone adds records to it. */
  readonly asRead: FileAsRead | null;
  /** A torn record may stand in it, which no id finds. */
  isDamaged: boolean;
  /** Of every record in it, confirmed or not. */
  readonly ids: Set<string>;
  /** By offset: records that the database is not known to have. */
  readonly pending: Map<number, JournalReceipt>;
  /** Offsets of records that no configured key opens. They hold the file. */
  readonly locked: Set<number>;
  /** On disk, confirmed or not. */
  recordCount: number;
}

/** Which files hold which records, and which of these the database has. Each record is known once. */
export class JournalShelf {
  private readonly byPath = new Map<string, ShelvedFile>();
  private readonly places = new Map<
    JournalReceipt,
    { readonly file: ShelvedFile; readonly offset: number }
  >();

  get files(): readonly ShelvedFile[] {
    return [...this.byPath.values()];
  }

  get recordCount(): number {
    return this.files.reduce((sum, file) => sum + file.recordCount, 0);
  }

  file(path: string): ShelvedFile | undefined {
    return this.byPath.get(path);
  }

  /** @param asRead - `null` for a file that this process made. */
  addFile(path: string, createdMs: number, asRead: FileAsRead | null): ShelvedFile {
    const file: ShelvedFile = {
      path,
      createdMs,
      asRead,
      isDamaged: false,
      ids: new Set(),
      pending: new Map(),
      locked: new Set(),
      recordCount: 0,
    };
    this.byPath.set(path, file);
    return file;
  }

  addRecord(file: ShelvedFile, id: string, offset: number): JournalReceipt {
    const receipt: JournalReceipt = Symbol('journal record');
    file.ids.add(id);
    file.pending.set(offset, receipt);
    file.recordCount += 1;
    this.places.set(receipt, { file, offset });
    return receipt;
  }

  confirm(receipt: JournalReceipt): void {
    const place = this.places.get(receipt);
    place?.file.pending.delete(place.offset);
    this.places.delete(receipt);
  }

  /** A record that cannot be opened stays until another process, or a later key, opens it. */
  lock(file: ShelvedFile, offset: number): void {
    this.forget(file, offset);
    file.locked.add(offset);
  }

  /** A record that was erased. */
  removeRecord(file: ShelvedFile, offset: number): void {
    this.forget(file, offset);
    file.locked.delete(offset);
  }

  removeFile(file: ShelvedFile): void {
    for (const offset of [...file.pending.keys()]) this.forget(file, offset);
    this.byPath.delete(file.path);
  }

  private forget(file: ShelvedFile, offset: number): void {
    const receipt = file.pending.get(offset);
    if (receipt !== undefined) this.confirm(receipt);
  }
}
