import type { AuthorizationId } from '../domain/authorization.js';
import { NO_ATTEMPT, updateAuthorization } from './authorization-changes.js';
import { addEvent } from './events.js';
import { isAuthorizationId } from './identifiers.js';
import type { StoreSession } from './store-session.js';

export async function markWithoutRefreshToken(
  session: StoreSession,
  id: AuthorizationId,
  version: number,
): Promise<boolean> {
  if (!isAuthorizationId(id)) return false;
  const change = {
    ...NO_ATTEMPT,
    status: 'needs_reconnect',
    reason: 'no_refresh_token',
    statusSince: () => session.dialect.now,
  } as const;
  const marked = await updateAuthorization(session, id, change, {
    guard: `version = :version AND status = 'active' AND sealed_refresh_token IS NULL`,
    parameters: { version },
  });
  if (marked) {
    await addEvent(session, { name: 'needs_reconnect', authorizationId: id, reason: change.reason });
  }
  return marked;
}
