import { Injectable } from '@nestjs/common';
import { SealedSecrets, type SealedPlace } from '../domain/sealed-secrets.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { NotionLogger } from '../logging/notion.logger.js';

const BATCH_SIZE = 100;

/** What is stored under one encryption key. */
export interface KeyUsage {
  readonly keyId: string;
  /** Rows whose secrets this key seals. */
  readonly rows: number;
  /** Whether the key is configured; without it those rows cannot be opened. */
  readonly isConfigured: boolean;
  /** Whether new secrets are sealed with it: the first configured key. */
  readonly isSealing: boolean;
}

export interface KeyRotationReport {
  /** Rows sealed anew by this run. */
  readonly resealed: number;
  /** Rows that no configured key opens; they are as they were. */
  readonly unreadable: number;
  /** Rows that still stand under another key than the first. */
  readonly left: number;
  /** Milliseconds that the run took, so far. */
  readonly tookMs: number;
  readonly isDone: boolean;
}

export interface KeyRotationOptions {
  /** Rows of one short transaction. @defaultValue `100` */
  readonly batchSize?: number;
  /** Called after every batch and at the end. */
  readonly onProgress?: (report: KeyRotationReport) => unknown;
  /** Ends the run after its present batch; a later run goes on from there. */
  readonly signal?: AbortSignal;
}

/**
 * Seals everything that is stored anew with the first configured key, while the application goes on working. May be
 * broken off at any time and run again, also by several processes at once: what is done is told by the rows
 * themselves. The tokens and their versions stay the same.
 */
@Injectable()
export class NotionKeyRotation {
  private readonly logger = new NotionLogger(NotionKeyRotation.name);

  constructor(
    private readonly secrets: SealedSecrets,
    private readonly cipher: TokenCipher,
  ) {}

  /** Every key id that is configured or in use. A key without rows may be taken out of the configuration. */
  async status(): Promise<readonly KeyUsage[]> {
    const counts = await this.secrets.countByKey();
    const configured = this.cipher.keyIds;
    const ids = [...new Set([...configured, ...counts.keys()])];
    return ids.map((keyId) => ({
      keyId,
      rows: counts.get(keyId) ?? 0,
      isConfigured: configured.includes(keyId),
      isSealing: keyId === this.cipher.sealingKeyId,
    }));
  }

  /** Rows that a busy application holds just now are passed over, and met by the next pass. */
  async run(options: KeyRotationOptions = {}): Promise<KeyRotationReport> {
    const run = new RotationRun();
    for (;;) {
      const before = run.resealed;
      const usage = await this.status();
      run.beginPass(rowsLeft(usage));
      for (const { keyId, isConfigured, isSealing, rows } of usage) {
        if (isConfigured && !isSealing && rows > 0) await this.resealAll(keyId, run, options);
      }
      if (run.resealed === before || options.signal?.aborted === true) break;
    }
    const report = run.report(rowsLeft(await this.status()), true);
    this.logger.log(`key rotation ${JSON.stringify(report)}`);
    await options.onProgress?.(report);
    return report;
  }

  private async resealAll(keyId: string, run: RotationRun, options: KeyRotationOptions): Promise<void> {
    const { batchSize: limit = BATCH_SIZE, signal, onProgress } = options;
    let after: SealedPlace | null = null;
    while (signal?.aborted !== true) {
      const batch = await this.secrets.reseal({ keyId, after, limit });
      if (batch.last === null) return;
      after = batch.last;
      run.count(batch);
      await onProgress?.(run.report(run.leftOfPass, false));
    }
  }
}

/** What one run has done. */
class RotationRun {
  resealed = 0;
  private unreadable = 0;
  private leftAtPass = 0;
  private resealedAtPass = 0;
  private readonly startedMs = performance.now();

  beginPass(left: number): void {
    this.leftAtPass = left;
    this.resealedAtPass = this.resealed;
    this.unreadable = 0;
  }

  count(batch: { readonly resealed: number; readonly unreadable: number }): void {
    this.resealed += batch.resealed;
    this.unreadable += batch.unreadable;
  }

  get leftOfPass(): number {
    return Math.max(0, this.leftAtPass - (this.resealed - this.resealedAtPass));
  }

  report(left: number, isDone: boolean): KeyRotationReport {
    const tookMs = Math.round(performance.now() - this.startedMs);
    return { resealed: this.resealed, unreadable: this.unreadable, left, tookMs, isDone };
  }
}

function rowsLeft(usage: readonly KeyUsage[]): number {
  return usage.filter(({ isSealing }) => !isSealing).reduce((sum, { rows }) => sum + rows, 0);
}
