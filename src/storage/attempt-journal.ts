import type { AttemptEnding, Claim } from '../domain/authorization-store.js';
import type { RefreshTrigger } from '../domain/refresh-outcome.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import type { StoreSession } from './store-session.js';

export async function journalStart(
  session: StoreSession,
  triggeredBy: RefreshTrigger,
  claims: readonly Claim[],
): Promise<void> {
  const { manager, dialect, clientId, processName } = session;
  await manager
    .createQueryBuilder()
    .insert()
    .into(RefreshAttemptEntity)
    .values(
      claims.map((claim) => ({
        id: claim.attemptId,
        authorizationId: claim.authorizationId,
        clientId,
        triggeredBy,
        spentVersion: claim.spentVersion,
        attemptOwner: processName,
        isRecovering: claim.recovering !== null,
        startedAt: () => dialect.now,
        endedAt: null,
        outcome: null,
      })),
    )
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** The first word about an attempt stands: one that was taken over stays `unknown`. */
export async function journalEnd(
  session: StoreSession,
  attemptId: string,
  ending: AttemptEnding,
): Promise<void> {
  await endAttempt(session, attemptId, ending, 'outcome IS NULL');
}

/** A pair that came after all is a success, also of an attempt that had been taken over as `unknown`. */
export async function journalSuccess(
  session: StoreSession,
  attemptId: string,
  ending: AttemptEnding,
): Promise<void> {
  await endAttempt(session, attemptId, ending, `(outcome IS NULL OR outcome = 'unknown')`);
}

/** Whether this very attempt has stored its pair before: the commit was made and its confirmation lost. */
export async function hasSucceeded({ manager }: StoreSession, attemptId: string): Promise<boolean> {
  const attempts = manager.createQueryBuilder(RefreshAttemptEntity, 't');
  return (await attempts.where(`t.id = :attemptId AND t.outcome = 'success'`, { attemptId }).getCount()) > 0;
}

async function endAttempt(
  { manager, dialect }: StoreSession,
  attemptId: string,
  { outcome, failure, upstreamMs }: AttemptEnding,
  unlessSettled: string,
): Promise<void> {
  await manager
    .createQueryBuilder()
    .update(RefreshAttemptEntity)
    .set({
      outcome,
      endedAt: () => dialect.now,
      httpStatus: failure?.status ?? null,
      failureCode: bounded(failure?.code, 64),
      requestId: bounded(failure?.requestId, 128),
      upstreamMs: upstreamMs === undefined ? null : Math.round(upstreamMs),
    })
    .where('id = :attemptId', { attemptId })
    .andWhere(unlessSettled)
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** What Notion or a proxy wrote must not be able to make the journal's statement fail. */
function bounded(text: string | undefined, length: number): string | null {
  return text === undefined ? null : text.replace(/[^\x20-\x7e]/g, '?').slice(0, length);
}
