import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Claim } from '../domain/authorization-store.js';
import type { AuthorizationId, TokenPair } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { PairJournal, type JournalReceipt } from '../domain/pair-journal.js';
import type { RetainedChange, RetainedPair } from '../domain/retained-change.js';

const PURGE_EVERY_MS = 30 * SECOND_MS;

interface PendingPair {
  readonly retained: RetainedPair;
  readonly sinceMs: number;
  receipt: JournalReceipt | null;
  /** Whether {@link PairCustody.flush} has returned it. */
  isReported: boolean;
}

/**
 * Takes care of a pair from the moment it is answered: pending until the database has it, retained for a while
 * afterwards, because a failover may forget the last commits.
 */
@Injectable()
export class PairCustody implements OnModuleInit, OnModuleDestroy {
  /** As many as refreshes are under way, so `refresh.maxConcurrent` at most. */
  private readonly pending = new Map<string, PendingPair>();
  private readonly retained: LRUCache<AuthorizationId, RetainedChange>;
  private readonly purgeEveryMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: PairJournal,
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) config: NotionAuthConfig,
  ) {
    const { maxRetained, retainMs } = config.refresh;
    this.retained = new LRUCache({ max: maxRetained, ttl: retainMs });
    this.purgeEveryMs = Math.min(PURGE_EVERY_MS, retainMs);
  }

  /** A cache that nobody asks keeps what is past its time: no refresh token stays longer than it is of use. */
  onModuleInit(): void {
    this.timer = setInterval(() => this.retained.purgeStale(), this.purgeEveryMs).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Before the request: the window between its answer and the first durable byte must hold nothing but one write. */
  prepare(): void {
    this.journal.prepare();
  }

  /**
   * The guard `journalBeforeCommit` (rule R10). Synchronous: nothing of this process comes between the answer and
   * its first durable byte.
   */
  take({ authorizationId, spentVersion, attemptId }: Claim, pair: TokenPair): void {
    const retained: RetainedPair = {
      kind: 'pair',
      authorizationId,
      version: spentVersion + 1,
      pair,
      attemptId,
    };
    const receipt = this.journal.record(retained);
    this.pending.set(attemptId, { retained, receipt, sinceMs: this.clock.monotonicMs(), isReported: false });
  }

  /** The database has it. */
  stored({ attemptId }: Claim): void {
    const pending = this.end(attemptId);
    if (pending !== undefined) this.retain(pending.retained);
  }

  /** A reconnect or a disconnect came first: nobody will ever use this pair. */
  dropped({ attemptId }: Claim): void {
    this.end(attemptId);
  }

  /**
   * The guard `retainUserChanges`: a reconnect or a disconnect that the database has must not come undone either.
   * None of the tokens from before a disconnect may be left.
   */
  retainUserChange(change: RetainedChange): void {
    if (change.kind === 'disconnect') this.journal.erase(change.authorizationId);
    const receipt = this.journal.record(change);
    if (receipt !== null) this.journal.confirm(receipt);
    this.retain(change);
  }

  /** Remembers the newest change of an authorization, unless a newer one is remembered. */
  retain(change: RetainedChange): void {
    const known = this.retained.peek(change.authorizationId);
    if (known !== undefined && known.version > change.version) return;
    this.retained.set(change.authorizationId, change);
  }

  /** What this process knows to be newer than `version`, if anything. */
  newerThan(id: AuthorizationId, version: number): RetainedChange | null {
    const known = this.retained.peek(id);
    return known !== undefined && known.version > version ? known : null;
  }

  /** Everything retained; what is past its time is let go first. */
  all(): readonly RetainedChange[] {
    this.retained.purgeStale();
    this.journal.clean();
    return [...this.retained.values()];
  }

  /** Pairs that only this process has, or only its journal. */
  get pendingCount(): number {
    return this.pending.size;
  }

  get retainedCount(): number {
    return this.retained.size;
  }

  /** Age of the oldest pending pair in milliseconds; 0 without one. */
  get oldestPendingAgeMs(): number {
    const [oldest] = this.pending.values();
    return oldest === undefined ? 0 : this.clock.monotonicMs() - oldest.sinceMs;
  }

  /**
   * The last chance of a process that exits: what could not be journaled before is tried once more. Synchronous.
   * @returns The pairs that only this process has; each is returned once.
   */
  flush(): readonly RetainedPair[] {
    const lost: RetainedPair[] = [];
    for (const pending of this.pending.values()) {
      pending.receipt ??= this.journal.record(pending.retained);
      if (pending.receipt !== null || pending.isReported) continue;
      pending.isReported = true;
      lost.push(pending.retained);
    }
    return lost;
  }

  private end(attemptId: string): PendingPair | undefined {
    const pending = this.pending.get(attemptId);
    this.pending.delete(attemptId);
    if (pending?.receipt != null) this.journal.confirm(pending.receipt);
    return pending;
  }
}

/** The pair as the successor of what the claim spent. */
export function retainedPair(
  { authorizationId, spentVersion, attemptId }: Claim,
  pair: TokenPair,
): RetainedPair {
  return { kind: 'pair', authorizationId, version: spentVersion + 1, pair, attemptId };
}
