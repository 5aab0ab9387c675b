import type { AttemptEnding, Claim, MassDeadGuard } from '../domain/authorization-store.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import { lockRow } from './authorization-rows.js';
import { fromNow } from './database-time.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import { lockGate } from './refresh-gates.js';
import type { StoreSession } from './store-session.js';

/** Ends that say something of the grant or of us; an attempt that was not sent or was put off does not. */
const VERDICTS: readonly AttemptOutcome[] = ['success', 'dead', 'lost', 'unknown', 'configuration'];

/**
 * Whether this dead grant is one of too many. Those who ask stand in line at the gate, so that attempts which end at
 * once see each other; the row is locked first, as everywhere.
 */
export async function isOneOfTooMany(
  session: StoreSession,
  claim: Claim,
  { outcome }: AttemptEnding,
  guard: MassDeadGuard,
): Promise<boolean> {
  if (outcome !== 'dead') return false;
  await lockRow(session, claim.authorizationId);
  await lockGate(session, 'mass_dead');
  // The gate was closed for cause, and the probe has just found the cause still there.
  if (claim.probing === 'mass_dead') return true;
  const others = await countOthers(session, claim, guard.windowMs);
  return (
    others.deadAuthorizations + 1 >= guard.minimum && (others.dead + 1) / (others.verdicts + 1) >= guard.share
  );
}

async function countOthers(
  { manager, dialect, clientId }: StoreSession,
  { attemptId, authorizationId }: Claim,
  windowMs: number,
): Promise<{ deadAuthorizations: number; dead: number; verdicts: number }> {
  const counted = await manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .select('COUNT(*)', 'verdicts')
    .addSelect(`COUNT(CASE WHEN t.outcome = 'dead' THEN 1 END)`, 'dead')
    .addSelect(
      `COUNT(DISTINCT CASE WHEN t.outcome = 'dead' AND t.authorizationId <> :authorizationId THEN t.authorizationId END)`,
      'dead_authorizations',
    )
    .where('t.clientId = :clientId AND t.id <> :attemptId AND t.outcome IN (:...verdicts)', {
      clientId,
      attemptId,
      authorizationId,
      verdicts: VERDICTS,
    })
    .andWhere(`t.endedAt > (SELECT ${fromNow(dialect, -windowMs)})`)
    .getRawOne<Record<'verdicts' | 'dead' | 'dead_authorizations', string | number>>();
  return {
    verdicts: Number(counted?.verdicts ?? 0),
    dead: Number(counted?.dead ?? 0),
    deadAuthorizations: Number(counted?.dead_authorizations ?? 0),
  };
}
