import { describe, expect, it } from '@jest/globals';
import { BUCKETS_SECONDS, COUNTERS, GAUGES, HISTOGRAMS, seriesOf, type Instrument } from './instruments.js';

const LOST_OR_NOT = 'success dead lost unknown not_sent not_processed configuration store_failed';

/**
 * What dashboards and alerts of users name. Written out, because renaming one breaks them without a word: a value may
 * be added here, none may go.
 */
const PROMISED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  notion_auth_refresh_attempts_total: {
    outcome: LOST_OR_NOT,
    trigger: 'unauthorized schedule manual recovery',
  },
  notion_auth_refresh_duration_seconds: { phase: 'claim upstream store total' },
  notion_auth_refresh_wait_seconds: {},
  notion_auth_refreshes_in_flight: {},
  notion_auth_pending_pairs: {},
  notion_auth_pending_pair_age_seconds: {},
  notion_auth_journal_records: {},
  notion_auth_authorizations: {
    status: 'active needs_reconnect revoked',
    reason: 'none revoked_or_expired lost_rotation no_refresh_token',
  },
  notion_auth_grants_lost_total: {},
  notion_auth_version_regressions_total: {},
  notion_auth_repairs_total: {},
  notion_auth_breaker_open: { breaker: 'configuration mass_dead rate_limit' },
  notion_auth_api_errors_total: {
    code: 'unauthorized restricted_resource object_not_found rate_limited conflict_error validation_error other',
  },
  notion_auth_callbacks_total: {
    result:
      'connected reconnected denied malformed missing_state unknown_state expired_state used_state wrong_browser',
  },
  notion_auth_decrypt_failures_total: { reason: 'unknown_key_id damaged_envelope decrypt_failed' },
  notion_auth_webhooks_total: {
    result: 'accepted duplicate verification missing_signature bad_signature malformed',
  },
  notion_auth_authorization_alerts_total: { kind: 'error_spike refresh_storm flapping' },
  notion_auth_stalls_total: {},
};

const KINDS = { counter: COUNTERS, histogram: HISTOGRAMS, gauge: GAUGES } as const;
const HISTOGRAM_NAMES = /_(?:duration|wait)_seconds$/;

function kindOf(name: string): string | undefined {
  return Object.entries(KINDS).find(([, table]) => name in table)?.[0];
}

function kindBy(name: string): string {
  if (name.endsWith('_total')) return 'counter';
  return HISTOGRAM_NAMES.test(name) ? 'histogram' : 'gauge';
}

describe('the metrics', () => {
  const all: Readonly<Record<string, Instrument>> = { ...COUNTERS, ...HISTOGRAMS, ...GAUGES };

  it.each(Object.entries(PROMISED))('%s has the labels and values that were promised', (name, labels) => {
    expect([name, kindOf(name)]).toEqual([name, kindBy(name)]);
    const found = all[name]!.labels;
    expect(Object.keys(found)).toEqual(Object.keys(labels));
    for (const [label, values] of Object.entries(labels)) {
      expect(found[label]).toEqual(expect.arrayContaining(values.split(' ')));
    }
  });

  it('reach from 50 ms to the time limit of a refresh', () => {
    expect([BUCKETS_SECONDS[0], BUCKETS_SECONDS.at(-1)]).toEqual([0.05, 75]);
    expect(BUCKETS_SECONDS).toEqual([...BUCKETS_SECONDS].sort((one, other) => one - other));
  });

  it('are a few hundred series, whoever uses the application', () => {
    const series = Object.values(all).reduce((sum, instrument) => sum + seriesOf(instrument).length, 0);
    expect(series).toBeLessThan(200);
  });
});
