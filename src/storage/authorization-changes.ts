import type { ObjectLiteral } from 'typeorm';
import type { AuthorizationId } from '../domain/authorization.js';
import { AuthorizationEntity } from './authorization.entity.js';
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
} as const satisfies AuthorizationChange;

/** One conditional `UPDATE` (R21). `false` when the guard no longer holds; then nothing was changed. */
export async function updateAuthorization(
  { manager, dialect, clientId }: StoreSession,
  id: AuthorizationId,
  change: AuthorizationChange,
  { guard, parameters }: { readonly guard: string; readonly parameters: ObjectLiteral },
): Promise<boolean> {
  const written = await manager
    .createQueryBuilder()
    .update(AuthorizationEntity)
    .set({ ...change, updatedAt: () => dialect.now })
    .where('id = :id AND client_id = :clientId', { id, clientId })
    .andWhere(guard, parameters)
    // The host's subscribers have no business in these statements.
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return written.affected === 1;
}
