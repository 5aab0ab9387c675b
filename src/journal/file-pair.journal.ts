import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { PairJournal, type JournalReceipt } from '../domain/pair-journal.js';
import type { RetainedPair } from '../domain/retained-change.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { decodeRecord, encodeRecord } from './journal-record.js';
import { JournalSegment, readSegment } from './segment.js';

const SEGMENT_BYTES = 256 * 1024;
const SEGMENT_SUFFIX = '.pairs';
const SET_ASIDE_SUFFIX = '.damaged';

/** What is known of one file: which of its records the database has not confirmed, and when it was last written. */
interface Segment {
  readonly path: string;
  readonly unconfirmed: Set<JournalReceipt>;
  records: number;
  readonly createdMs: number;
  lastWriteMs: number;
  /** Some record could not be opened with today's keys: the file stays. */
  readonly locked: boolean;
}

/**
 * The journal as files in one folder (mode 0700), which must survive a restart of the container. Several processes
 * may share the folder: each writes files of its own, and replaying somebody else's records is harmless, because the
 * database takes a pair by its version only.
 */
@Injectable()
export class FilePairJournal extends PairJournal implements OnApplicationShutdown {
  private readonly logger = new Logger('NotionPairJournal');
  private readonly segments = new Map<string, Segment>();
  private readonly owners = new Map<JournalReceipt, Segment>();
  private open: { readonly file: JournalSegment; readonly segment: Segment } | null = null;

  constructor(
    private readonly folder: string,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly cipher: TokenCipher,
    private readonly clock: Clock,
  ) {
    super();
  }

  override get size(): number {
    return [...this.segments.values()].reduce((sum, segment) => sum + segment.records, 0);
  }

  override record(retained: RetainedPair): JournalReceipt | null {
    try {
      const payload = encodeRecord(retained, this.config.clientId, this.cipher);
      const { file, segment } = this.segmentFor(payload);
      file.append(payload);
      return this.noteRecord(segment);
    } catch (error) {
      this.logger.error(`a pair could not be journaled authorization=${retained.authorizationId} error=${codeOf(error)}`);
      // The file may end in a torn record: what follows it would not be found again.
      this.closeOpenFile();
      return null;
    }
  }

  override confirm(receipt: JournalReceipt): void {
    this.owners.get(receipt)?.unconfirmed.delete(receipt);
    this.owners.delete(receipt);
  }

  override replay(): readonly { readonly retained: RetainedPair; readonly receipt: JournalReceipt }[] {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      return readdirSync(this.folder)
        .filter((name) => name.endsWith(SEGMENT_SUFFIX))
        .sort()
        .flatMap((name) => this.replaySegment(join(this.folder, name)));
    } catch (error) {
      this.logger.error(`the journal could not be read error=${codeOf(error)}`);
      return [];
    }
  }

  override clean(): void {
    const nowMs = this.clock.now().getTime();
    for (const segment of this.segments.values()) {
      const isOpen = this.open?.segment === segment;
      if (isOpen || segment.locked || segment.unconfirmed.size > 0) continue;
      if (nowMs - lastWriteTo(segment) <= this.config.refresh.retainMs) continue;
      rmSync(segment.path, { force: true });
      this.segments.delete(segment.path);
    }
  }

  onApplicationShutdown(): void {
    this.closeOpenFile();
  }

  private segmentFor(payload: Buffer): { readonly file: JournalSegment; readonly segment: Segment } {
    if (this.open !== null && this.open.file.fits(payload) && this.isYoung(this.open.segment)) return this.open;
    this.closeOpenFile();
    this.clean();
    if (this.segments.size >= this.config.refresh.journalMaxFiles) throw new JournalFullError();
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, `${this.clock.now().getTime()}-${randomUUID()}${SEGMENT_SUFFIX}`);
    const file = JournalSegment.create(path, Math.max(SEGMENT_BYTES, payload.length * 2));
    this.open = { file, segment: this.noteSegment(path, this.clock.now().getTime(), false) };
    return this.open;
  }

  /**
   * Another process that replayed this file removes it when nothing was written to it for the retention time: so
   * nothing is written to it any more long before.
   */
  private isYoung(segment: Segment): boolean {
    return this.clock.now().getTime() - segment.createdMs < this.config.refresh.retainMs / 2;
  }

  private replaySegment(path: string) {
    const { payloads, damaged } = readSegment(path);
    const { retained, locked, odd } = this.decodeAll(payloads);
    if (damaged || odd) this.setAside(path);
    if (retained.length === 0 && !locked) {
      rmSync(path, { force: true });
      return [];
    }
    const segment = this.noteSegment(path, statSync(path).mtimeMs, locked);
    return retained.map((one) => ({ retained: one, receipt: this.noteRecord(segment, segment.lastWriteMs) }));
  }

  private decodeAll(payloads: readonly Buffer[]) {
    const retained: RetainedPair[] = [];
    let [locked, odd] = [false, false];
    for (const payload of payloads) {
      try {
        const one = decodeRecord(payload, this.config.clientId, this.cipher);
        if (one === null) odd = true;
        else retained.push(one);
      } catch (error) {
        locked = true;
        this.logger.error(`a journal record cannot be opened and stays error=${codeOf(error)}`);
      }
    }
    return { retained, locked, odd };
  }

  /** A copy for a person to look at; what could be read of it is replayed all the same. */
  private setAside(path: string): void {
    this.logger.error('a journal file is damaged; it is set aside and what could be read of it is replayed');
    copyFileSync(path, `${path}${SET_ASIDE_SUFFIX}`);
  }

  private noteSegment(path: string, lastWriteMs: number, locked: boolean): Segment {
    const segment: Segment = { path, unconfirmed: new Set(), records: 0, createdMs: lastWriteMs, lastWriteMs, locked };
    this.segments.set(path, segment);
    return segment;
  }

  private noteRecord(segment: Segment, atMs = this.clock.now().getTime()): JournalReceipt {
    const receipt: JournalReceipt = Symbol('journal record');
    segment.unconfirmed.add(receipt);
    segment.records += 1;
    segment.lastWriteMs = atMs;
    this.owners.set(receipt, segment);
    return receipt;
  }

  private closeOpenFile(): void {
    this.open?.file.close();
    this.open = null;
  }
}

/** A file of another process may have grown since it was read. */
function lastWriteTo(segment: Segment): number {
  return Math.max(segment.lastWriteMs, statSync(segment.path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

class JournalFullError extends Error {
  readonly code = 'journal_full';
}

/** The file system's code, never its message: that names paths. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}
