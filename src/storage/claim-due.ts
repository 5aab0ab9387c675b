import { randomUUID } from 'node:crypto';
import type { Claim, ClaimDueQuery } from '../domain/authorization-store.js';
import { MINUTE_MS } from '../domain/duration.js';
import { journalStart } from './attempt-journal.js';
import { updateAuthorizations } from './authorization-changes.js';
import { lockDueRows, type RowAtInstant } from './authorization-rows.js';
import { claimColumns, claimOn, isRefused } from './claim.js';
import { fromNow } from './database-time.js';
import { isHeldBackElseMark, noteSuspects, onlyUnsuspected } from './mass-revocation.breaker.js';
import { becomeProbe, gatePassage } from './refresh-gates.js';
import { rowValues } from './row-values.js';
import type { StoreSession } from './store-session.js';

/** A row whose token cannot be presented must not stand at the head of every batch. */
const ASIDE_MS = 5 * MINUTE_MS;

/**
 * T1 for many. Rows with an attempt on them are not due: a resolved one leaves none behind, and an unresolved one is
 * for recovery to look at.
 */
export async function claimDueRows(
  session: StoreSession,
  { olderThanMs, limit, leaseMs }: ClaimDueQuery,
): Promise<readonly Claim[]> {
  const passage = await gatePassage(session);
  if (passage.kind === 'postponed') return [];
  const probing = passage.kind === 'probe' ? passage.gate : null;
  const rows = await lockDueRows(session, {
    olderThanMs,
    limit: probing === null ? limit : 1,
    ...(probing === 'mass_dead' ? { narrow: (due) => onlyUnsuspected(due, session) } : {}),
  });
  const drafts = rows.map((found) => draftClaim(session, found, leaseMs, probing));
  const claims = drafts.filter((draft) => typeof draft === 'object');
  await setAside(session, rows, drafts);
  if (claims.length === 0) return [];
  if (probing !== null && (await becomeProbe(session, probing)) !== null) return [];
  await writeClaims(session, claims, leaseMs);
  await journalStart(session, 'schedule', claims);
  if (probing === 'mass_dead') await noteSuspects(session, claims, false);
  return claims;
}

type Draft = Claim | 'undecryptable' | 'rejected';

/** `rejected`: Notion rejected its refresh token while the mass-revocation breaker was open (R16). */
function draftClaim(
  session: StoreSession,
  found: RowAtInstant,
  leaseMs: number,
  probing: Claim['probing'],
): Draft {
  const refreshToken = session.seals.unlessKeyIsLost(() => session.seals.refreshToken(found.row));
  if (refreshToken === null) return 'undecryptable';
  if (isRefused(session, found.row, refreshToken)) return 'rejected';
  // Nothing is unresolved on these rows, and only recovery looks at the access token.
  const tokens = { refreshToken, accessToken: null };
  return claimOn(found, leaseMs, { attemptId: randomUUID(), probing }, tokens);
}

async function setAside(
  session: StoreSession,
  rows: readonly RowAtInstant[],
  drafts: readonly Draft[],
): Promise<void> {
  const rowsOf = (kind: Draft) => rows.filter((_, index) => drafts[index] === kind);
  const ids = rowsOf('undecryptable').map(({ row }) => row.id);
  for (const { row } of rowsOf('rejected')) if (await isHeldBackElseMark(session, row)) ids.push(row.id);
  if (ids.length === 0) return;
  const change = { nextAttemptAt: () => fromNow(session.dialect, ASIDE_MS) };
  await updateAuthorizations(session, ids, change, { guard: 'attempt_id IS NULL', parameters: {} });
}

/** As for a single claim, what was read and must still hold stands in the `WHERE`. */
async function writeClaims(session: StoreSession, claims: readonly Claim[], leaseMs: number): Promise<void> {
  const { now } = session.dialect;
  const ids = claims.map(({ authorizationId }) => authorizationId);
  const attempts = rowValues(
    session.dialect,
    'attempt',
    'text',
    claims.map(({ authorizationId, attemptId }) => [authorizationId, attemptId]),
  );
  const versions = rowValues(
    session.dialect,
    'version',
    'bigint',
    claims.map(({ authorizationId, spentVersion }) => [authorizationId, spentVersion]),
  );
  const written = await updateAuthorizations(
    session,
    ids,
    { ...claimColumns(session, leaseMs), attemptId: () => attempts.sql },
    {
      guard: [
        `version = ${versions.sql} AND status = 'active' AND attempt_id IS NULL`,
        `(lease_until IS NULL OR lease_until <= ${now})`,
        `(next_attempt_at IS NULL OR next_attempt_at <= ${now})`,
      ].join(' AND '),
      parameters: { ...attempts.parameters, ...versions.parameters },
    },
  );
  if (written !== claims.length) throw new Error('A row that was locked to be claimed has changed.');
}
