import type { ObjectLiteral } from 'typeorm';
import type { AuthorizationId } from '../domain/authorization.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { isAmongIds, isOfClient } from './identifiers.js';
import type { StoreSession } from './store-session.js';

/** Values, or SQL expressions as functions. */
export type AuthorizationChange = {
  [Field in keyof AuthorizationEntity]?: AuthorizationEntity[Field] | (() => string);
};

/** Nobody sends, and nothing is unresolved. */
export const NO_ATTEMPT = {
  attemptId: null,
  attemptOwner: null,
  attemptPhase: null,
  attemptStartedAt: null,
  leaseUntil: null,
  nextAttemptAt: null,
  unresolvedSince: null,
  unresolvedReplayed: false,
} as const satisfies AuthorizationChange;

export interface ChangeGuard {
  readonly guard: string;
  readonly parameters: ObjectLiteral;
}

/** One conditional `UPDATE` (R21). `false` when the guard no longer holds; then nothing was changed. */
export async function updateAuthorization(
  session: StoreSession,
  id: AuthorizationId,
  change: AuthorizationChange,
  guard: ChangeGuard,
): Promise<boolean> {
  return (await update(session, change, 'id = :id', { id }, guard)) === 1;
}

/** As {@link updateAuthorization} for many rows at once; answers how many the guard let through. */
export async function updateAuthorizations(
  session: StoreSession,
  ids: readonly AuthorizationId[],
  change: AuthorizationChange,
  guard: ChangeGuard,
): Promise<number> {
  return update(session, change, isAmongIds(session.dialect, 'id'), { ids }, guard);
}

async function update(
  { manager, dialect, clientId }: StoreSession,
  change: AuthorizationChange,
  which: string,
  whichParameters: ObjectLiteral,
  { guard, parameters }: ChangeGuard,
): Promise<number> {
  const written = await manager
    .createQueryBuilder()
    .update(AuthorizationEntity)
    .set({ ...change, updatedAt: () => dialect.now })
    .where(`${which} AND ${isOfClient('client_id')}`, { ...whichParameters, clientId })
    .andWhere(guard, parameters)
    // The host's subscribers have no business in these statements.
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return written.affected ?? 0;
}
