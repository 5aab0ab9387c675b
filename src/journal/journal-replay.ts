import { basename } from 'node:path';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { JournaledChange } from '../domain/pair-journal.js';
import type { RetainedChange } from '../domain/retained-change.js';
import type { TokenCipher } from '../domain/token-cipher.js';
import type { LogFacts } from '../logging/log-line.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { codeOf } from './journal-errors.js';
import { listFiles, makeFolder } from './journal-folder.js';
import { openRecord, parseRecord } from './journal-record.js';
import type { JournalShelf, ShelvedFile } from './journal-shelf.js';
import type { FramedRecord } from './record-frame.js';
import { readSegment, type SegmentContent } from './segment.js';

/** One file is read at a time; this bounds the changes that are in memory at once. */
const BATCH_SIZE = 500;

interface ReplayOptions {
  readonly folder: string;
  readonly config: Pick<NotionAuthConfig, 'clientId'>;
  readonly cipher: TokenCipher;
}

/** Reads what earlier processes left, file by file: what is wrong with one keeps no other from being read. */
export class JournalReplay {
  private readonly logger = new NotionLogger('NotionPairJournal');
  /** Left by earlier processes and not read so far; `null` before the folder was listed. */
  private unread: Set<string> | null = null;
  private pass: Iterator<JournaledChange> | null = null;
  /** What was logged: a pass may be repeated every few seconds. */
  private readonly reported = new Set<string>();

  constructor(
    private readonly options: ReplayOptions,
    private readonly shelf: JournalShelf,
  ) {}

  get hasUnreadFiles(): boolean {
    return this.unread === null || this.unread.size > 0;
  }

  /** See {@link PairJournal.replay}. */
  nextBatch(): readonly JournaledChange[] {
    this.pass ??= this.readAll();
    const batch: JournaledChange[] = [];
    while (batch.length < BATCH_SIZE) {
      const next = this.pass.next();
      if (next.done === true) break;
      batch.push(next.value);
    }
    if (batch.length === 0) this.pass = null;
    return batch;
  }

  private *readAll(): Generator<JournaledChange, void> {
    this.unread ??= this.listUnread();
    const waiting = this.shelf.files.filter((file) => file.asRead !== null && file.pending.size > 0);
    const paths = new Set([...(this.unread ?? []), ...waiting.map(({ path }) => path)]);
    for (const path of [...paths].sort()) yield* this.readFile(path);
  }

  private listUnread(): Set<string> | null {
    try {
      makeFolder(this.options.folder);
      const paths = listFiles(this.options.folder);
      return new Set(paths.filter((path) => this.shelf.file(path) === undefined));
    } catch (error) {
      const code = codeOf(error);
      if (this.isNew('', code)) this.logger.error('the journal could not be read', { error: code });
      return null;
    }
  }

  private *readFile(path: string): Generator<JournaledChange, void> {
    const content = this.read(path);
    if (content === null) return;
    const file = this.registered(path, content);
    for (const { payload, place } of content.records) {
      const receipt = file.pending.get(place.offset);
      const retained = receipt === undefined ? null : this.open(file, payload, place.offset);
      if (receipt !== undefined && retained !== null) yield { retained, receipt };
    }
  }

  private registered(path: string, content: SegmentContent): ShelvedFile {
    const known = this.shelf.file(path);
    if (known === undefined) return this.register(path, content);
    // What another process erased, or the disk lost, is waited for no longer.
    const present = new Set(content.records.map(({ place }) => place.offset));
    for (const offset of [...known.pending.keys()])
      if (!present.has(offset)) this.shelf.removeRecord(known, offset);
    return known;
  }

  private read(path: string): SegmentContent | null {
    try {
      const content = readSegment(path);
      this.unread?.delete(path);
      return content;
    } catch (error) {
      const code = codeOf(error);
      // Another process has removed it, as it does with what the database has.
      if (code === 'ENOENT') this.unread?.delete(path);
      else if (this.isNew(path, code))
        this.logger.error('a journal file cannot be read and stays', factsOf(path, code));
      return null;
    }
  }

  /** All of a file at once: a disconnect erases also what is not handed out so far. */
  private register(path: string, { records, damaged, modifiedMs }: SegmentContent): ShelvedFile {
    const last = records.at(-1)?.place;
    const knownBytes = last === undefined ? 0 : last.offset + last.length;
    const file = this.shelf.addFile(path, modifiedMs, { modifiedMs, knownBytes });
    for (const record of records) this.registerRecord(file, record);
    file.isDamaged = damaged.length > 0;
    if (file.isDamaged && this.isNew(path, 'damaged'))
      this.logger.error(
        'a journal file is damaged: it stays in place, and each record that is whole is replayed',
        factsOf(path),
      );
    return file;
  }

  private registerRecord(file: ShelvedFile, { payload, place }: FramedRecord): void {
    const record = parseRecord(payload);
    this.shelf.addRecord(file, record?.id ?? '', place.offset);
    if (record === null) this.lock(file, place.offset, 'unknown_format');
  }

  private open(file: ShelvedFile, payload: Buffer, offset: number): RetainedChange | null {
    try {
      const record = parseRecord(payload);
      const { config, cipher } = this.options;
      const change = record && openRecord(record, config.clientId, cipher);
      if (change === null) this.lock(file, offset, 'unknown_format');
      return change;
    } catch (error) {
      this.lock(file, offset, codeOf(error));
      return null;
    }
  }

  private lock(file: ShelvedFile, offset: number, error: string): void {
    this.shelf.lock(file, offset);
    if (this.isNew(file.path, error))
      this.logger.error('a journal record cannot be opened and stays', factsOf(file.path, error));
  }

  /** Each file is reported once for each reason. */
  private isNew(path: string, reason: string): boolean {
    const report = `${reason} ${path}`;
    if (this.reported.has(report)) return false;
    this.reported.add(report);
    return true;
  }
}

function factsOf(path: string, error?: string): LogFacts {
  return { file: basename(path), error };
}
