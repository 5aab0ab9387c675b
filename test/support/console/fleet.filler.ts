const WEEK_MS = 7 * 24 * 3_600_000;

export interface FilledFleet {
  readonly family: 'sqlite' | 'postgres';
  readonly clientId: string;
  readonly keyId: string;
  readonly authorizations: number;
  /** Spread evenly over the last week. */
  readonly attempts: number;
}

type Run = (statement: string) => Promise<unknown>;

/**
 * A fleet as a busy week leaves it, made by the database itself: some people are gone, some rotations were lost, and
 * for some hours two days ago a third of the refreshes failed. Nothing in it can be opened by a key.
 */
export async function fillFleet(run: Run, fleet: FilledFleet): Promise<void> {
  await run(authorizations(fleet));
  await run(owners(fleet));
  await run(attempts(fleet));
  if (fleet.family === 'postgres') await run('ANALYZE');
}

/** The id of the authorization of that number; they begin at 1. */
export function idOf(number: number): string {
  const hex = number.toString(16);
  return `${hex.padStart(8, '0')}-0000-4000-8000-${hex.padStart(12, '0')}`;
}

function authorizations({ family, clientId, keyId, authorizations: howMany }: FilledFleet): string {
  const now = String(Date.now());
  const since = `${now} - (n * 7919 % 600000) * 1000`;
  return `INSERT INTO notion_authorization (id, client_id, bot_id, workspace_id, workspace_name, owner_kind, owner_user_id,
      redirect_uri, status, reason, status_since, version, sealed_access_token, sealed_refresh_token, key_id,
      refresh_token_kept, pair_stored_at, last_attempt_at, last_success_at, unresolved_replayed, created_at, updated_at)
    SELECT ${id(family)}, '${clientId}', 'bot-' || n, 'workspace-' || n, 'Workspace ' || n || ' of somebody', 'user',
      'person-' || n, 'https://app.example/notion/callback',
      CASE WHEN n % 50 = 7 THEN 'needs_reconnect' WHEN n % 50 = 8 THEN 'revoked' ELSE 'active' END,
      CASE WHEN n % 200 = 7 THEN 'lost_rotation' WHEN n % 50 = 7 THEN 'revoked_or_expired' ELSE NULL END,
      ${since}, 1 + n % 90, ${sealed('n % 50 = 8')}, ${sealed('n % 50 = 8')}, '${keyId}', (1 = 0), ${since}, ${since},
      ${since}, (1 = 0), ${now} - ${String(WEEK_MS)}, ${since}
    FROM ${series(family, howMany)}`;
}

function owners({ family, authorizations: howMany }: FilledFleet): string {
  return `INSERT INTO notion_authorization_owner (authorization_id, owner_id, linked_at)
    SELECT ${id(family)}, 'owner-' || n, ${String(Date.now())} FROM ${series(family, howMany)}`;
}

function attempts({ family, clientId, authorizations: howMany, attempts: many }: FilledFleet): string {
  const stepMs = Math.floor(WEEK_MS / many);
  // The oldest first, as time would have written them.
  const endedAt = `${String(Date.now())} - (${String(many)} - n) * ${String(stepMs)}`;
  const chance = '(n * 7919 % 1000)';
  const isBadTime = `n BETWEEN ${String(Math.floor(many * 0.7))} AND ${String(Math.floor(many * 0.73))}`;
  const outcome = `CASE WHEN ${isBadTime} AND ${chance} < 330 THEN 'unknown' WHEN ${chance} < 6 THEN 'dead'
    WHEN ${chance} < 9 THEN 'not_processed' WHEN ${chance} < 12 THEN 'unknown' WHEN ${chance} = 12 THEN 'lost' ELSE 'success' END`;
  const code = `CASE WHEN ${isBadTime} AND ${chance} < 330 THEN 'service_unavailable' WHEN ${chance} < 6 THEN 'invalid_grant'
    WHEN ${chance} < 9 THEN 'rate_limited' WHEN ${chance} < 12 THEN 'ECONNRESET' WHEN ${chance} = 12 THEN 'invalid_grant' ELSE NULL END`;
  const took = `90 + n * 7 % 260 + CASE WHEN ${isBadTime} THEN 1400 ELSE 0 END + CASE WHEN n % 37 = 0 THEN 900 ELSE 0 END`;
  return `INSERT INTO notion_refresh_attempt (id, authorization_id, client_id, triggered_by, spent_version, attempt_owner,
      is_recovering, started_at, ended_at, outcome, http_status, failure_code, upstream_ms)
    SELECT ${id(family)}, ${id(family, `(1 + n % ${String(howMany)})`)}, '${clientId}', 'schedule', 1, 'replica-' || n % 4,
      (1 = 0), ${endedAt} - 300, ${endedAt}, ${outcome}, NULL, ${code}, ${took}
    FROM ${series(family, many)}`;
}

function id(family: FilledFleet['family'], number = 'n'): string {
  return family === 'sqlite'
    ? `printf('%08x-0000-4000-8000-%012x', ${number}, ${number})`
    : `lpad(to_hex(${number}), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(${number}), 12, '0')`;
}

function sealed(isErased: string): string {
  return `CASE WHEN ${isErased} THEN NULL ELSE 'v1.k1.${'A'.repeat(250)}' || n END`;
}

function series(family: FilledFleet['family'], howMany: number): string {
  return family === 'sqlite'
    ? `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${String(howMany)}) SELECT n FROM s)`
    : `generate_series(CAST(1 AS bigint), ${String(howMany)}) AS s(n)`;
}
