import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { AuthorizationId, AuthorizationStatus } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { DAY_MS, MINUTE_MS } from '../domain/duration.js';
import type { NoticedEvent } from '../domain/event-outbox.js';
import type { CounterLabels } from '../domain/instruments.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import { SlidingCount } from './sliding-count.js';

/** An authorization beyond it is watched anew; memory stays bounded whatever the number of tenants. */
const MAX_WATCHED = 10_000;
const WINDOW_MS = 10 * MINUTE_MS;

const SPIKE_ERRORS = 20;
const SPIKE_SHARE = 0.5;
const STORM_REFRESHES = 3;
/** A user who revokes once and connects again is no anomaly. */
const ORDINARY_FAILURES_A_DAY = 1;

type AlertKind = CounterLabels<'notion_auth_authorization_alerts_total'>['kind'];

class Watched {
  readonly calls = new SlidingCount(WINDOW_MS);
  readonly errors = new SlidingCount(WINDOW_MS);
  readonly refreshes = new SlidingCount(WINDOW_MS);
  readonly failures = new SlidingCount(DAY_MS);
  readonly silentUntilMs = new Map<AlertKind, number>();
}

/**
 * Notices single authorizations that stand out, as this process sees them: a metric with an id in its labels would
 * have as many series as there are tenants. Each is told once in its window.
 */
@Injectable()
export class AuthorizationWatch {
  private readonly watched = new LRUCache<AuthorizationId, Watched>({ max: MAX_WATCHED });
  private readonly logger: QuietLogger;
  private readonly changeListeners: (() => void)[] = [];
  private readonly noticeListeners: ((noticed: NoticedEvent) => void)[] = [];

  constructor(
    private readonly metrics: NotionMetrics,
    private readonly clock: Clock,
  ) {
    this.logger = new QuietLogger('NotionAuthorizationWatch', clock);
  }

  /** Called whenever this process has changed the status of an authorization. */
  onChange(listener: () => void): void {
    this.changeListeners.push(listener);
  }

  /** Called once for what stands out about an authorization. */
  onNotice(listener: (noticed: NoticedEvent) => void): void {
    this.noticeListeners.push(listener);
  }

  called(id: AuthorizationId, isError: boolean): void {
    const nowMs = this.clock.monotonicMs();
    const seen = this.of(id);
    seen.calls.add(nowMs);
    if (!isError) return;
    seen.errors.add(nowMs);
    const errors = seen.errors.total(nowMs);
    if (errors >= SPIKE_ERRORS && errors >= SPIKE_SHARE * seen.calls.total(nowMs)) {
      this.alert(id, seen, 'error_spike', WINDOW_MS);
    }
  }

  refreshed(id: AuthorizationId): void {
    const nowMs = this.clock.monotonicMs();
    const seen = this.of(id);
    seen.refreshes.add(nowMs);
    if (seen.refreshes.total(nowMs) > STORM_REFRESHES) this.alert(id, seen, 'refresh_storm', WINDOW_MS);
  }

  /** @param status - what it changed to: a second `needs_reconnect` within a day is `flapping` */
  statusChanged(id: AuthorizationId, status: AuthorizationStatus): void {
    if (status === 'needs_reconnect') this.failed(id);
    for (const listen of this.changeListeners) listen();
  }

  private failed(id: AuthorizationId): void {
    const nowMs = this.clock.monotonicMs();
    const seen = this.of(id);
    seen.failures.add(nowMs);
    if (seen.failures.total(nowMs) > ORDINARY_FAILURES_A_DAY) this.alert(id, seen, 'flapping', DAY_MS);
  }

  private of(id: AuthorizationId): Watched {
    const known = this.watched.get(id);
    if (known !== undefined) return known;
    const begun = new Watched();
    this.watched.set(id, begun);
    return begun;
  }

  private alert(id: AuthorizationId, seen: Watched, kind: AlertKind, silentMs: number): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs < (seen.silentUntilMs.get(kind) ?? Number.NEGATIVE_INFINITY)) return;
    seen.silentUntilMs.set(kind, nowMs + silentMs);
    this.metrics.count('notion_auth_authorization_alerts_total', { kind });
    this.logger.warn(`authorization alert ${kind}`, 'authorization alert', { kind, authorization: id });
    if (kind !== 'flapping') this.notice(id, kind);
  }

  private notice(authorizationId: AuthorizationId, name: 'error_spike' | 'refresh_storm'): void {
    const id = eventIdOf(name, authorizationId, this.clock.now());
    for (const listen of this.noticeListeners) listen({ id, name, authorizationId });
  }
}

/** The same for every process that notices the same thing in the same ten minutes. */
function eventIdOf(name: string, id: AuthorizationId, at: Date): string {
  const window = Math.floor(at.getTime() / WINDOW_MS);
  return createHash('sha256')
    .update(`${name} ${id} ${String(window)}`)
    .digest('hex')
    .slice(0, 36);
}
