import type { AuthorizationId } from '../domain/authorization.js';
import { journalEnd } from './attempt-journal.js';
import { updateAuthorization } from './authorization-changes.js';
import { isDeadProcess } from './process-identity.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import type { StoreSession } from './store-session.js';

interface OpenAttempt {
  readonly id: string;
  readonly authorizationId: AuthorizationId;
  readonly attemptOwner: string;
}

/** Attempts of dead processes of this machine become unresolved now instead of when their leases are over (T6). */
export async function releaseDeadProcesses(session: StoreSession): Promise<number> {
  const open = await openAttempts(session);
  const owners = new Set(open.map(({ attemptOwner }) => attemptOwner));
  const dead = new Set([...owners].filter(isDeadProcess));
  let released = 0;
  for (const attempt of open.filter(({ attemptOwner }) => dead.has(attemptOwner))) {
    if (await release(session, attempt)) released += 1;
  }
  return released;
}

async function release(
  session: StoreSession,
  { id, authorizationId, attemptOwner }: OpenAttempt,
): Promise<boolean> {
  const change = {
    attemptPhase: 'unknown',
    leaseUntil: () => session.dialect.now,
    unresolvedSince: () => 'COALESCE(unresolved_since, attempt_started_at)',
  } as const;
  const released = await updateAuthorization(session, authorizationId, change, {
    guard: `attempt_id = :attemptId AND attempt_owner = :attemptOwner AND attempt_phase = 'in_flight'`,
    parameters: { attemptId: id, attemptOwner },
  });
  await journalEnd(session, id, { outcome: 'unknown' });
  return released;
}

/** In the order of the rows they will touch. */
function openAttempts({ manager, clientId }: StoreSession): Promise<OpenAttempt[]> {
  return manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .select(['t.id', 't.authorizationId', 't.attemptOwner'])
    .where('t.clientId = :clientId AND t.endedAt IS NULL', { clientId })
    .orderBy('t.authorizationId')
    .getMany();
}
