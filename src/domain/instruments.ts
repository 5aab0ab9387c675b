import { AUTHORIZATION_STATUSES, RECONNECT_REASONS } from './authorization.js';
import { KEY_FAILURES } from './errors.js';
import { API_ERROR_CODES, CALLBACK_RESULTS, WEBHOOK_RESULTS } from './instrument-labels.js';
import { REFRESH_GATES } from './refresh-gate.js';
import { ATTEMPT_OUTCOMES, REFRESH_TRIGGERS } from './refresh-outcome.js';

/** Every value that each label can have: no id, name or address, so that the number of series is known at startup. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

export interface Instrument {
  readonly help: string;
  readonly labels: LabelSets;
}

/** What is counted, by the name that Prometheus knows. Counts begin at 0 for every combination of labels. */
export const COUNTERS = {
  notion_auth_refresh_attempts_total: {
    help: 'Refresh attempts that ended, by outcome and trigger.',
    labels: { outcome: [...ATTEMPT_OUTCOMES, 'store_failed'], trigger: REFRESH_TRIGGERS },
  },
  notion_auth_grants_lost_total: {
    help: 'Authorizations that need their person because a rotation was lost on the way: our own failures.',
    labels: {},
  },
  notion_auth_version_regressions_total: {
    help: 'Rows found behind what this process had stored there: the database went back in time.',
    labels: {},
  },
  notion_auth_repairs_total: {
    help: 'Rows that were put back to what this process or its journal knew to be newer.',
    labels: {},
  },
  notion_auth_api_errors_total: {
    help: "Calls of Notion's API that failed, by Notion's code.",
    labels: { code: API_ERROR_CODES },
  },
  notion_auth_callbacks_total: {
    help: 'Callbacks of the connect flow, by what they came to.',
    labels: { result: CALLBACK_RESULTS },
  },
  notion_auth_decrypt_failures_total: {
    help: 'Stored secrets that could not be opened.',
    labels: { reason: KEY_FAILURES },
  },
  notion_auth_webhooks_total: {
    help: 'Webhook deliveries, by what they came to.',
    labels: { result: WEBHOOK_RESULTS },
  },
  notion_auth_authorization_alerts_total: {
    help: 'Single authorizations that stood out; the event and the log say which.',
    labels: { kind: ['error_spike', 'refresh_storm', 'flapping'] },
  },
  notion_auth_swept_total: {
    help: 'Authorizations that scheduled sweeps took up, by what came of it.',
    labels: { result: ['renewed', 'skipped', 'needs_reconnect', 'unknown', 'failed'] },
  },
  notion_auth_stalls_total: {
    help: 'Times that the event loop was late by more than a second while a refresh was under way.',
    labels: {},
  },
} as const satisfies Readonly<Record<string, Instrument>>;

/** What is measured in seconds. The longest bucket is the time limit of a refresh. */
export const HISTOGRAMS = {
  notion_auth_refresh_duration_seconds: {
    help: 'Duration of refreshes, by phase; the claims of a sweep come in batches and have no phase of their own.',
    labels: { phase: ['claim', 'upstream', 'store', 'total'] },
  },
  notion_auth_refresh_wait_seconds: {
    help: 'How long callers waited for a refresh.',
    labels: {},
  },
} as const satisfies Readonly<Record<string, Instrument>>;

/** Upper bounds of the buckets of every histogram, in seconds. */
export const BUCKETS_SECONDS: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 75];

/** What is read when somebody asks. */
export const GAUGES = {
  notion_auth_refreshes_in_flight: {
    help: 'Refreshes of this process that are under way or wait for their turn.',
    labels: {},
  },
  notion_auth_pending_pairs: {
    help: 'Pairs that Notion has answered and the database does not have yet.',
    labels: {},
  },
  notion_auth_pending_pair_age_seconds: {
    help: 'Age of the oldest pending pair; 0 without one.',
    labels: {},
  },
  notion_auth_journal_records: {
    help: 'Records in the local journal of this process.',
    labels: {},
  },
  notion_auth_authorizations: {
    help: 'Authorizations by status and reason, over all processes: take the maximum, not the sum.',
    labels: { status: AUTHORIZATION_STATUSES, reason: ['none', ...RECONNECT_REASONS] },
  },
  notion_auth_breaker_open: {
    help: 'Whether a breaker holds refreshes back, over all processes: take the maximum, not the sum.',
    labels: { breaker: REFRESH_GATES },
  },
} as const satisfies Readonly<Record<string, Instrument>>;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type GaugeName = keyof typeof GAUGES;

type LabelsOf<Of extends Instrument> = {
  readonly [Label in keyof Of['labels']]: Of['labels'][Label] extends readonly (infer Value extends string)[]
    ? Value
    : never;
};
export type CounterLabels<Name extends CounterName> = LabelsOf<(typeof COUNTERS)[Name]>;
export type HistogramLabels<Name extends HistogramName> = LabelsOf<(typeof HISTOGRAMS)[Name]>;

/** The labels of one series. */
export type SeriesLabels = Readonly<Record<string, string>>;

/** Each combination of labels that an instrument can have. */
export function seriesOf({ labels }: Instrument): readonly SeriesLabels[] {
  return Object.entries(labels).reduce<readonly SeriesLabels[]>(
    (series, [label, values]) =>
      series.flatMap((known) => values.map((value) => ({ ...known, [label]: value }))),
    [{}],
  );
}
