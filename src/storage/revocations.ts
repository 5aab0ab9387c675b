import { randomUUID } from 'node:crypto';
import type { AuthorizationId } from '../domain/authorization.js';
import {
  REVOCATION_LEASE_MS,
  type ClaimedRevocations,
  type PendingRevocation,
  type RevocationLimits,
} from '../domain/revocation-outbox.js';
import type { Secret } from '../domain/secret.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { boundFromNow, fromNow } from './database-time.js';
import { RevocationEntity } from './revocation.entity.js';
import type { StoreSession } from './store-session.js';

/** The part of an operation's session that moves rows and opens no token. */
type OutboxSession = Pick<StoreSession, 'manager' | 'dialect' | 'clientId'>;

/**
 * In the transaction that erases the tokens, or refuses them. The caller has claimed them for the first attempt; where
 * it dies, somebody else claims them after the lease.
 */
export async function addRevocations(
  session: StoreSession,
  authorizationId: AuthorizationId,
  tokens: readonly (Secret | null)[],
): Promise<readonly PendingRevocation[]> {
  const { manager, dialect, clientId, seals } = session;
  const added = tokens
    .filter((token) => token !== null)
    .map((token) => ({ id: randomUUID(), authorizationId, token, attempt: 1, ageMs: 0 }));
  if (added.length === 0) return added;
  await manager
    .createQueryBuilder()
    .insert()
    .into(RevocationEntity)
    .values(
      added.map(({ id, token }) => ({
        id,
        clientId,
        authorizationId,
        ...seals.sealRevocation({ id, clientId }, token),
        attempts: 1,
        nextAttemptAt: () => fromNow(dialect, REVOCATION_LEASE_MS),
        createdAt: () => dialect.now,
      })),
    )
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return added;
}

/**
 * In the transaction that brings a grant to life again: what revoking an older token does to a newer one of the same
 * grant is not documented, so none is sent any more.
 */
export async function takeBackRevocations(
  { manager, clientId }: OutboxSession,
  ...authorizationIds: readonly AuthorizationId[]
): Promise<void> {
  await manager
    .createQueryBuilder()
    .delete()
    .from(RevocationEntity)
    .where('authorization_id IN (:...authorizationIds) AND client_id = :clientId', {
      authorizationIds,
      clientId,
    })
    .callListeners(false)
    .execute();
}

export async function claimDueRevocations(
  session: StoreSession,
  limit: number,
  limits: RevocationLimits,
): Promise<ClaimedRevocations> {
  const claimed: PendingRevocation[] = [];
  const givenUp: AuthorizationId[] = [];
  for (const row of await dueRows(session, limit, limits)) {
    const ended = row.livesAgain || row.attempts >= limits.maxAttempts || row.ageMs >= limits.maxAgeMs;
    if (ended) {
      if ((await removeAsSeen(session, row)) && !row.livesAgain) givenUp.push(row.authorizationId);
      continue;
    }
    const token = session.seals.unlessKeyIsLost(() => session.seals.revocationToken(row));
    if (token === null) await setAside(session, row);
    else if (await claim(session, row)) claimed.push({ ...pendingOf(row), token });
  }
  return { claimed, givenUp };
}

/**
 * Atomic against {@link takeBackRevocations}, which deletes the row: one of the two waits for the other. What remains
 * is the way from this commit to Notion, a turn of the event loop and the network. A grant that is connected again
 * within it keeps its new token pair; should Notion end that pair too, the next call meets a 401 and the user is asked
 * to reconnect. To make the reconnect wait instead would put the new pair at risk, which exists in one process only.
 */
export function renewRevocationClaim(
  session: OutboxSession,
  { id, attempt }: PendingRevocation,
): Promise<boolean> {
  return updateAsSeen(
    session,
    { id, attempts: attempt },
    { nextAttemptAt: () => fromNow(session.dialect, REVOCATION_LEASE_MS) },
  );
}

export async function removeRevocation({ manager, clientId }: OutboxSession, id: string): Promise<void> {
  await manager
    .createQueryBuilder()
    .delete()
    .from(RevocationEntity)
    .where('id = :id AND client_id = :clientId', { id, clientId })
    .callListeners(false)
    .execute();
}

/** Nothing changes when the claim has passed to somebody else. */
export async function postponeRevocation(
  session: OutboxSession,
  { id, attempt }: PendingRevocation,
  retryInMs: number,
): Promise<void> {
  await updateAsSeen(
    session,
    { id, attempts: attempt },
    { nextAttemptAt: () => fromNow(session.dialect, retryInMs) },
  );
}

type DueRow = RevocationEntity & {
  readonly ageMs: number;
  /** A process of a version that knows no outbox may have connected the grant again. */
  readonly livesAgain: boolean;
};

/** Of those whose key this process does not have, only such as are too old for everybody. */
async function dueRows(
  { manager, dialect, clientId, seals }: StoreSession,
  limit: number,
  { maxAgeMs }: RevocationLimits,
): Promise<DueRow[]> {
  const living = manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .select('1')
    .where(`a.id = r.authorizationId AND a.status <> 'revoked'`);
  const { entities, raw } = await manager
    .createQueryBuilder(RevocationEntity, 'r')
    .addSelect('r.sealedToken')
    .addSelect(`${dialect.now} - r.createdAt`, 'age_ms')
    .addSelect(`CASE WHEN EXISTS (${living.getQuery()}) THEN 1 ELSE 0 END`, 'lives_again')
    .where(`r.clientId = :clientId AND r.nextAttemptAt <= ${dialect.statementNow}`, { clientId })
    .andWhere(`(r.keyId IN (:...keyIds) OR r.createdAt <= ${boundFromNow(dialect, -maxAgeMs)})`, {
      keyIds: seals.keyIds,
    })
    .orderBy('r.nextAttemptAt')
    .addOrderBy('r.id')
    .limit(limit)
    .getRawAndEntities<Record<'age_ms' | 'lives_again', string | number>>();
  return entities.map((row, index) =>
    Object.assign(row, {
      ageMs: Number(raw[index]?.age_ms),
      livesAgain: Number(raw[index]?.lives_again) === 1,
    }),
  );
}

function pendingOf({ id, authorizationId, attempts, ageMs }: DueRow): Omit<PendingRevocation, 'token'> {
  return { id, authorizationId, attempt: attempts + 1, ageMs };
}

/** One conditional statement is the claim: of all processes that saw the row due, one changes it. */
function claim(session: OutboxSession, row: DueRow): Promise<boolean> {
  return updateAsSeen(session, row, {
    attempts: row.attempts + 1,
    nextAttemptAt: () => fromNow(session.dialect, REVOCATION_LEASE_MS),
  });
}

/** The key has the right id and does not open it: nothing was tried, and the others are not to wait behind it. */
async function setAside(session: OutboxSession, row: DueRow): Promise<void> {
  await updateAsSeen(session, row, { nextAttemptAt: () => fromNow(session.dialect, REVOCATION_LEASE_MS) });
}

async function updateAsSeen(
  { manager, clientId }: OutboxSession,
  { id, attempts }: Pick<RevocationEntity, 'id' | 'attempts'>,
  change: { readonly attempts?: number; readonly nextAttemptAt: () => string },
): Promise<boolean> {
  const changed = await manager
    .createQueryBuilder()
    .update(RevocationEntity)
    .set(change)
    .where('id = :id AND client_id = :clientId AND attempts = :attempts', { id, clientId, attempts })
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return changed.affected === 1;
}

async function removeAsSeen(
  { manager, clientId }: OutboxSession,
  { id, attempts }: DueRow,
): Promise<boolean> {
  const removed = await manager
    .createQueryBuilder()
    .delete()
    .from(RevocationEntity)
    .where('id = :id AND client_id = :clientId AND attempts = :attempts', { id, clientId, attempts })
    .callListeners(false)
    .execute();
  return removed.affected === 1;
}
