import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type OnApplicationShutdown } from '@nestjs/common';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import type { Clock } from '../domain/clock.js';
import { PairJournal, type JournaledChange, type JournalReceipt } from '../domain/pair-journal.js';
import type { RetainedChange } from '../domain/retained-change.js';
import type { TokenCipher } from '../domain/token-cipher.js';
import { decodeRecord, encodeRecord } from './journal-record.js';
import { JournalShelf, type ShelvedFile } from './journal-shelf.js';
import { eraseRecord, JournalSegment, readSegment, type SegmentRecord } from './segment.js';
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
const FILE_SUFFIX = '.pairs';
const SET_ASIDE_SUFFIX = '.damaged';

export interface FilePairJournalOptions {
  /** Must survive a restart of the container; made with mode 0700 if it is missing. */
  readonly folder: string;
  readonly config: Pick<NotionAuthConfig, 'clientId' | 'refresh'>;
  readonly cipher: TokenCipher;
  readonly clock: Clock;
}

/**
 * The journal as files in one folder. Several processes may share the folder: each writes files of its own, and
 * replaying somebody else's records is harmless, because the database takes a pair by its version only.
 */
export class FilePairJournal extends PairJournal implements OnApplicationShutdown {
  private readonly logger = new NotionLogger('NotionPairJournal');
  private readonly changes: QuietLogger;
  private readonly shelf = new JournalShelf();
  private nextFileBytes = FIRST_FILE_BYTES;
  private open: { readonly segment: JournalSegment; readonly file: ShelvedFile } | null = null;

  constructor(private readonly options: FilePairJournalOptions) {
    super();
    this.changes = new QuietLogger('NotionPairJournal', options.clock);
  }

  override get size(): number {
    return this.shelf.recordCount;
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
      const { segment, file } = this.openFor(payload.length);
      return this.shelf.addRecord(file, retained.authorizationId, segment.append(payload));
    } catch (error) {
      const facts = { authorization: retained.authorizationId, error: codeOf(error) };
      this.changes.error(`not journaled ${facts.error}`, 'a change could not be journaled', facts);
      // The file may end in a torn record: what followed it would not be found again.
      this.closeOpenFile();
      return null;
    }
  }

  override confirm(receipt: JournalReceipt): void {
    this.shelf.confirm(receipt);
  }

  override replay(): readonly JournaledChange[] {
    try {
      const { folder } = this.options;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const names = readdirSync(folder).filter((name) => name.endsWith(FILE_SUFFIX));
      return names.sort().flatMap((name) => this.replayFile(join(folder, name)));
    } catch (error) {
      this.logger.error('the journal could not be read', { error: codeOf(error) });
      return [];
    }
  }

  override erase(authorizationId: AuthorizationId): void {
    for (const { file, record } of this.shelf.recordsOf(authorizationId)) {
      try {
        eraseRecord(file.path, record.place);
        this.shelf.removeRecord(file, record);
      } catch (error) {
        this.logger.error('a journal record could not be erased', {
          authorization: authorizationId,
          error: codeOf(error),
        });
      }
    }
  }

  override clean(): void {
    const beforeMs = this.nowMs() - this.options.config.refresh.retainMs;
    for (const file of this.shelf.outdated(beforeMs)) {
      if (file === this.open?.file) this.closeOpenFile();
      rmSync(file.path, { force: true });
      this.shelf.removeFile(file);
    }
  }

  onApplicationShutdown(): void {
    this.closeOpenFile();
  }

  private openFor(payloadBytes: number): { readonly segment: JournalSegment; readonly file: ShelvedFile } {
    if (this.open !== null && this.open.segment.fits(payloadBytes) && this.isYoung(this.open.file))
      return this.open;
    this.closeOpenFile();
    this.clean();
    const { folder, config } = this.options;
    const bytesLeft = config.refresh.journalMaxBytes - this.shelf.bytes;
    const bytes = Math.max(Math.min(this.nextFileBytes, bytesLeft), payloadBytes * 2);
    if (bytes > bytesLeft) throw new JournalFullError();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${this.nowMs()}-${randomUUID()}${FILE_SUFFIX}`);
    const segment = JournalSegment.create(path, bytes);
    this.open = { segment, file: this.shelf.addFile({ path, bytes, createdMs: this.nowMs() }) };
    this.nextFileBytes = Math.min(this.nextFileBytes * 2, LARGEST_FILE_BYTES);
    return this.open;
  }

  /**
   * Another process that replayed this file removes it once nothing was written to it for the retention time. So
   * long before that, it is written to no more.
   */
  private isYoung(file: ShelvedFile): boolean {
    return this.nowMs() - file.createdMs < this.options.config.refresh.retainMs / 2;
  }

  private replayFile(path: string): JournaledChange[] {
    const { records, damaged } = readSegment(path);
    const decoded = records.map((record) => ({ record, ...this.decode(record) }));
    const { mtimeMs, size } = statSync(path);
    const isLocked = decoded.some((one) => one.locked);
    const file = this.shelf.addFile({ path, bytes: size, createdMs: mtimeMs, isLocked });
    if (damaged || decoded.some((one) => one.retained === null && !one.locked)) this.setAside(path);
    return decoded.flatMap(({ record, retained }) => {
      if (retained === null) return [];
      return [{ retained, receipt: this.shelf.addRecord(file, retained.authorizationId, record.place) }];
    });
  }

  private decode({ payload }: SegmentRecord): {
    readonly retained: RetainedChange | null;
    readonly locked: boolean;
  } {
    try {
      const { config, cipher } = this.options;
      return { retained: decodeRecord(payload, config.clientId, cipher), locked: false };
    } catch (error) {
      this.logger.error('a journal record cannot be opened and stays', { error: codeOf(error) });
      return { retained: null, locked: true };
    }
  }

  /** A copy for a person to look at; what could be read of the file is replayed all the same. */
  private setAside(path: string): void {
    this.logger.error(
      'a journal file is damaged: it is copied aside, and what could be read of it is replayed',
    );
    copyFileSync(path, `${path}${SET_ASIDE_SUFFIX}`);
  }

  private closeOpenFile(): void {
    this.open?.segment.close();
    this.open = null;
  }

  private nowMs(): number {
    return this.options.clock.now().getTime();
  }
}

class JournalFullError extends Error {
  readonly code = 'journal_full';
}

/** A code, never a message: those of the file system name paths. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}
