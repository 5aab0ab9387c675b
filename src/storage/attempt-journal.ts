import type { AttemptEnding, Claim } from '../domain/authorization-store.js';
import type { AttemptOutcome, RefreshTrigger } from '../domain/refresh-outcome.js';
import { isAmongIds } from './identifiers.js';
import { rowValues } from './row-values.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import type { StoreSession } from './store-session.js';

/** A pair that came after all is a success, also of an attempt that had been taken over as `unknown`. */
const MAY_SUCCEED = `(outcome IS NULL OR outcome = 'unknown')`;

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

export async function journalSuccess(
  session: StoreSession,
  attemptId: string,
  ending: AttemptEnding,
): Promise<void> {
  await endAttempt(session, attemptId, ending, MAY_SUCCEED);
}

/** As {@link journalSuccess} for many at once. */
export async function journalSuccesses(
  { manager, dialect }: StoreSession,
  successes: readonly { readonly attemptId: string; readonly ending: AttemptEnding }[],
): Promise<void> {
  const ids = successes.map(({ attemptId }) => attemptId);
  const took = rowValues(
    dialect,
    'took',
    'bigint',
    successes.map(({ attemptId, ending }) => [attemptId, wholeMs(ending.upstreamMs)]),
  );
  await manager
    .createQueryBuilder()
    .update(RefreshAttemptEntity)
    .set({
      outcome: 'success',
      endedAt: () => dialect.now,
      httpStatus: null,
      failureCode: null,
      requestId: null,
      upstreamMs: () => took.sql,
    })
    .where(isAmongIds(dialect, 'id'), { ids })
    .andWhere(MAY_SUCCEED, took.parameters)
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** How this attempt ended, so far. */
export async function journaledOutcome(
  { manager }: StoreSession,
  attemptId: string,
): Promise<AttemptOutcome | null> {
  const attempt = await manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .where('t.id = :attemptId', { attemptId })
    .getOne();
  return attempt?.outcome ?? null;
}

/** Whether this very attempt has stored its pair before: the commit was made and its confirmation lost. */
export async function hasSucceeded(session: StoreSession, attemptId: string): Promise<boolean> {
  return (await journaledOutcome(session, attemptId)) === 'success';
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
      upstreamMs: wholeMs(upstreamMs),
    })
    .where('id = :attemptId', { attemptId })
    .andWhere(unlessSettled)
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

function wholeMs(durationMs: number | undefined): number | null {
  return durationMs === undefined ? null : Math.round(durationMs);
}

/** What Notion or a proxy wrote must not be able to make the journal's statement fail. */
function bounded(text: string | undefined, length: number): string | null {
  return text === undefined ? null : text.replace(/[^\x20-\x7e]/g, '?').slice(0, length);
}
