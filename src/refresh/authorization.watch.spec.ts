import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SystemClock } from '../domain/clock.js';
import type { NoticedEvent } from '../domain/event-outbox.js';
import { NoMetrics } from '../domain/notion-metrics.js';
import { AuthorizationWatch } from './authorization.watch.js';

const MINUTE_MS = 60_000;

class TestClock extends SystemClock {
  nowMs = Date.parse('2026-11-25T12:00:00Z');

  override now(): Date {
    return new Date(this.nowMs);
  }

  override monotonicMs(): number {
    return this.nowMs;
  }
}

class CountedAlerts extends NoMetrics {
  readonly kinds: string[] = [];

  override count(_counter?: string, labels?: { readonly kind?: string }): void {
    this.kinds.push(labels?.kind ?? '');
  }
}

describe('AuthorizationWatch', () => {
  let clock: TestClock;
  let metrics: CountedAlerts;
  let watch: AuthorizationWatch;
  let noticed: NoticedEvent[];

  beforeAll(() => {
    Logger.overrideLogger(false);
  });

  beforeEach(() => {
    clock = new TestClock();
    metrics = new CountedAlerts();
    watch = new AuthorizationWatch(metrics, clock);
    noticed = [];
    watch.onNotice((one) => noticed.push(one));
  });

  function call(id: string, { well = 0, badly = 0 }: { well?: number; badly?: number }): void {
    for (let calls = 0; calls < well; calls++) watch.called(id, false);
    for (let calls = 0; calls < badly; calls++) watch.called(id, true);
  }

  it('notices 20 errors that are half of the calls, and not 19, nor 20 of 41', () => {
    call('few', { badly: 19 });
    call('many', { well: 21, badly: 20 });
    expect(noticed).toEqual([]);
    call('half', { well: 20, badly: 20 });
    expect(noticed).toMatchObject([{ name: 'error_spike', authorizationId: 'half' }]);
    expect(metrics.kinds).toEqual(['error_spike']);
  });

  it('looks at ten minutes, and no further', () => {
    call('slow', { badly: 19 });
    clock.nowMs += 11 * MINUTE_MS;
    call('slow', { badly: 19 });
    expect(noticed).toEqual([]);
  });

  it('notices the fourth refresh in ten minutes, not the third', () => {
    for (let refresh = 0; refresh < 3; refresh++) watch.refreshed('a');
    expect(noticed).toEqual([]);
    watch.refreshed('a');
    expect(noticed).toMatchObject([{ name: 'refresh_storm', authorizationId: 'a' }]);
  });

  it('notices an authorization that must be reconnected twice within a day, not once', () => {
    for (const status of ['active', 'needs_reconnect', 'active'] as const) watch.statusChanged('a', status);
    expect(metrics.kinds).toEqual([]);
    clock.nowMs += 11 * 60 * MINUTE_MS;
    watch.statusChanged('a', 'needs_reconnect');
    expect(metrics.kinds).toEqual(['flapping']);
  });

  it('takes no number of connects and disconnects for an anomaly', () => {
    for (let round = 0; round < 10; round++) {
      watch.statusChanged('a', 'active');
      watch.statusChanged('a', 'revoked');
    }
    expect(metrics.kinds).toEqual([]);
  });

  it('forgets a failure after a day', () => {
    watch.statusChanged('a', 'needs_reconnect');
    clock.nowMs += 25 * 60 * MINUTE_MS;
    watch.statusChanged('a', 'needs_reconnect');
    expect(metrics.kinds).toEqual([]);
  });

  it('tells each once in its window, by one id in every process that sees the same', () => {
    const other = new AuthorizationWatch(new NoMetrics(), clock);
    other.onNotice((one) => noticed.push(one));
    for (let call = 0; call < 100; call++) {
      watch.called('a', true);
      other.called('a', true);
    }
    expect(noticed).toHaveLength(2);
    expect(new Set(noticed.map(({ id }) => id)).size).toBe(1);
    clock.nowMs += 11 * MINUTE_MS;
    call('a', { badly: 20 });
    expect(noticed).toHaveLength(3);
    expect(new Set(noticed.map(({ id }) => id)).size).toBe(2);
  });

  it('remembers the 10,000 that were seen last', () => {
    call('first', { badly: 19 });
    for (let tenant = 0; tenant < 9_999; tenant++) watch.called(`tenant ${String(tenant)}`, false);
    call('first', { badly: 1 });
    expect(noticed).toHaveLength(1);
    call('forgotten', { badly: 19 });
    for (let tenant = 0; tenant < 10_000; tenant++) watch.called(`tenant ${String(tenant)}`, false);
    call('forgotten', { badly: 1 });
    expect(noticed).toHaveLength(1);
  });
});
