import type { RowVerdict } from '../harness/checker.js';
import type { Proof } from '../harness/proof.js';
import type { Replica } from '../harness/replica.js';
import type { Grant, Stage } from '../harness/stage.js';
import type { StoredRows } from '../harness/stored.rows.js';

/** What a row of the matrix is played on. */
export interface NetworkStage {
  readonly proof: Proof;
  readonly stage: Stage;
  readonly rows: StoredRows;
  readonly replicas: readonly [Replica, Replica];
}

/** Longest `Retry-After` that is honoured here. */
export const LONGEST_WAIT_MS = 1_500;

export const NETWORK_REFRESH = {
  callerWaitMs: 1_500,
  requestTimeoutMs: 3_000,
  leaseMarginMs: 500,
  leaseMs: 6_000,
  quarantineMs: 8_000,
  restartGraceMs: 1_000,
  maxRetryAfterMs: LONGEST_WAIT_MS,
  maxConcurrent: 100,
};

/**
 * Moves every time that a row or a gate waits for into the past. Waits are Notion's time, not ours to spend: whether
 * they are kept is measured where they are not cut short. Only while nothing is under way.
 */
export async function letTimePass(rows: StoredRows): Promise<void> {
  await rows.query('UPDATE notion_authorization SET next_attempt_at = NULL');
  await rows.query(
    'UPDATE notion_authorization SET unresolved_since = unresolved_since - 3600000 WHERE unresolved_since IS NOT NULL',
  );
  await rows.query(`UPDATE notion_refresh_gate SET closed_until = NULL, closed_since = NULL`);
}

/** Time may only be moved while nothing is under way. */
export async function settled({ rows }: Pick<NetworkStage, 'rows'>): Promise<void> {
  for (;;) {
    const [{ n }] = (await rows.query<{ n: string }>(
      `SELECT count(*) AS n FROM notion_authorization WHERE attempt_phase = 'in_flight'`,
    )) as [{ n: string }];
    if (Number(n) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What the rows of these authorizations are worth, by the ledger: how many of each. */
export async function judge(
  { rows, stage }: Pick<NetworkStage, 'rows' | 'stage'>,
  grants: readonly Grant[],
): Promise<Readonly<Record<RowVerdict, number>>> {
  const counts = { good: 0, lost: 0, dead_but_active: 0, wrong_reconnect: 0, revoked_but_active: 0 };
  const live = new Set(
    (await stage.notion.ledger.tokens({ kind: 'refresh', status: 'live' })).map(({ value }) => value),
  );
  const wanted = new Set(grants.map(({ id }) => id));
  for (const { refreshToken, status } of (await rows.list()).filter(({ id }) => wanted.has(id))) {
    const isActive = status === 'active';
    if (refreshToken !== null && live.has(refreshToken)) counts[isActive ? 'good' : 'wrong_reconnect'] += 1;
    else counts[isActive ? 'dead_but_active' : 'lost'] += 1;
  }
  return counts;
}

export function ids(grants: readonly Grant[]): string[] {
  return grants.map(({ id }) => id);
}
