import { existsSync, rmSync, statSync } from 'node:fs';
import { type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import type { Clock } from '../domain/clock.js';
import { NotionConfigError } from '../domain/errors.js';
import { PairJournal, type JournaledChange, type JournalReceipt } from '../domain/pair-journal.js';
import type { RetainedChange } from '../domain/retained-change.js';
import type { TokenCipher } from '../domain/token-cipher.js';
import { eraseInFile } from './journal-erasure.js';
import { codeOf, JournalFileError } from './journal-errors.js';
import { bytesIn, listFiles, makeFolder, newFilePath, whyUnusable } from './journal-folder.js';
import { encodeRecord, idOfChange } from './journal-record.js';
import { JournalReplay } from './journal-replay.js';
import { JournalShelf, type ShelvedFile } from './journal-shelf.js';
import { JournalSegment, readSegment } from './segment.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { QuietLogger } from '../logging/quiet.logger.js';

/**
 * A process begins with a small file and doubles it with each one that it fills: one that is killed again and again
 * must not use up the folder with files that hold next to nothing.
 */
const FIRST_FILE_BYTES = 16 * 1024;
const LARGEST_FILE_BYTES = 256 * 1024;
/** More than a record of Notion's own tokens takes. */
const USUAL_RECORD_BYTES = 4 * 1024;

export interface FilePairJournalOptions {
  /** Must survive a restart of the container; made with mode 0700 if it is missing. */
  readonly folder: string;
  readonly config: Pick<NotionAuthConfig, 'clientId' | 'refresh' | 'production'>;
  readonly cipher: TokenCipher;
  readonly clock: Clock;
}

interface OpenSegment {
  readonly segment: JournalSegment;
  readonly file: ShelvedFile;
}

/**
 * The journal as files in one folder. Several processes may share the folder: each writes files of its own, and
 * replaying somebody else's records is harmless, because the database takes a pair by its version only.
 */
export class FilePairJournal extends PairJournal implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new NotionLogger('NotionPairJournal');
  private readonly changes: QuietLogger;
  private readonly shelf = new JournalShelf();
  private readonly replayed: JournalReplay;
  private nextFileBytes = FIRST_FILE_BYTES;
  private isFolderSyncReported = false;
  private open: OpenSegment | null = null;

  constructor(private readonly options: FilePairJournalOptions) {
    super();
    this.changes = new QuietLogger('NotionPairJournal', options.clock);
    this.replayed = new JournalReplay(options, this.shelf);
  }

  override get size(): number {
    return this.shelf.recordCount;
  }

  override get hasUnreadFiles(): boolean {
    return this.replayed.hasUnreadFiles;
  }

  /** @throws {@link NotionConfigError} in production when nothing can be written to the folder. */
  onModuleInit(): void {
    const code = whyUnusable(this.options.folder);
    if (code === null) return;
    const problem =
      `refresh.journalFolder (NOTION_AUTH_JOURNAL_DIR): the folder cannot be used (${code}). ` +
      'Make it a directory that the user of the application can write to, or remove the option.';
    if (this.options.config.production) throw new NotionConfigError([problem]);
    this.logger.warn(problem);
  }

  /** Making a file costs several syncs, some ten times as much as a record: measured at 10 ms against 1 ms. */
  override prepare(): void {
    try {
      this.openFor(USUAL_RECORD_BYTES);
    } catch {
      // The record that follows tries again, and says what is wrong.
    }
  }

  override record(retained: RetainedChange): JournalReceipt | null {
    try {
      const { config, cipher } = this.options;
      const payload = encodeRecord(retained, config.clientId, cipher);
      const open = this.openFor(payload.length);
      return this.shelf.addRecord(open.file, idOfChange(retained), this.append(open, payload));
    } catch (error) {
      const facts = { authorization: idOfChange(retained), error: codeOf(error) };
      this.changes.error(`not journaled ${facts.error}`, 'a change could not be journaled', facts);
      return null;
    }
  }

  override confirm(receipt: JournalReceipt): void {
    this.shelf.confirm(receipt);
  }

  override replay(): readonly JournaledChange[] {
    return this.replayed.nextBatch();
  }

  /** Also in files of other processes, and with them what is damaged and may be of this authorization. */
  override erase(authorizationId: AuthorizationId): void {
    for (const path of this.allPaths()) {
      try {
        // In a file that is still written to, what looks torn may be a record that another process is writing.
        const isWritten = (modifiedMs: number) => this.isYoung(modifiedMs);
        eraseInFile(path, this.shelf, authorizationId, isWritten);
      } catch (error) {
        const facts = { authorization: authorizationId, error: codeOf(error) };
        if (facts.error === 'ENOENT') continue;
        this.changes.error(`not erased ${facts.error}`, 'a journal record could not be erased', facts);
      }
    }
  }

  override clean(): void {
    const beforeMs = this.nowMs() - this.options.config.refresh.retainMs;
    for (const file of this.shelf.files) {
      if (file.pending.size > 0 || file.locked.size > 0) continue;
      try {
        // Asked of the file system: another process may have gone on writing to a file that was only replayed here.
        const modifiedMs = statSync(file.path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
        if (modifiedMs < beforeMs && isAllKnown(file)) this.removeFile(file);
      } catch (error) {
        this.changes.error('not removed', 'a journal file could not be removed', { error: codeOf(error) });
      }
    }
  }

  onApplicationShutdown(): void {
    this.closeOpenFile();
  }

  private openFor(payloadBytes: number): OpenSegment {
    if (this.open !== null && this.open.segment.fits(payloadBytes) && this.isYoung(this.open.file.createdMs))
      return this.open;
    this.closeOpenFile();
    this.clean();
    const { folder, config } = this.options;
    makeFolder(folder);
    const bytesLeft = config.refresh.journalMaxBytes - bytesIn(folder);
    const bytes = Math.max(Math.min(this.nextFileBytes, bytesLeft), payloadBytes * 2);
    if (bytes > bytesLeft) throw new JournalFileError('journal_full');
    const path = newFilePath(folder, this.nowMs());
    const segment = JournalSegment.create(path, bytes, (code) => {
      this.reportNoFolderSync(code);
    });
    this.open = { segment, file: this.shelf.addFile(path, this.nowMs(), null) };
    this.nextFileBytes = Math.min(this.nextFileBytes * 2, LARGEST_FILE_BYTES);
    return this.open;
  }

  private append({ segment, file }: OpenSegment, payload: Buffer): number {
    try {
      return segment.append(payload).offset;
    } catch (error) {
      this.abandon(file);
      throw error;
    }
  }

  /** After a write that failed: the file takes no further record, and is of no use where it has none. */
  private abandon(file: ShelvedFile): void {
    this.closeOpenFile();
    file.isDamaged = true;
    try {
      if (file.recordCount === 0) this.removeFile(file);
    } catch {
      // It is removed when its time is over.
    }
  }

  private reportNoFolderSync(error: string): void {
    if (!this.isFolderSyncReported)
      this.logger.warn('the journal folder cannot be synchronised on this platform', { error });
    this.isFolderSyncReported = true;
  }

  /**
   * Another process that replayed a file removes it once nothing was written to it for the retention time. So long
   * before that, it is written to no more.
   */
  private isYoung(sinceMs: number): boolean {
    return this.nowMs() - sinceMs < this.options.config.refresh.retainMs / 2;
  }

  private allPaths(): ReadonlySet<string> {
    const known = this.shelf.files.map(({ path }) => path);
    try {
      return new Set([...known, ...listFiles(this.options.folder)]);
    } catch {
      // What is known is erased all the same.
      return new Set(known);
    }
  }

  private removeFile(file: ShelvedFile): void {
    if (file === this.open?.file) this.closeOpenFile();
    rmSync(file.path, { force: true });
    this.shelf.removeFile(file);
  }

  private closeOpenFile(): void {
    this.open?.segment.close();
    this.open = null;
  }

  private nowMs(): number {
    return this.options.clock.now().getTime();
  }
}

/** What another process added after the file was read here may be in no database yet. */
function isAllKnown({ path, asRead }: ShelvedFile): boolean {
  if (asRead === null || !existsSync(path)) return true;
  return readSegment(path).records.every(({ place }) => place.offset < asRead.knownBytes);
}
