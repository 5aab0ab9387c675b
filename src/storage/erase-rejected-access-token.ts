import type { AuthorizationId } from '../domain/authorization.js';
import { updateAuthorization } from './authorization-changes.js';
import { isAuthorizationId } from './identifiers.js';
import type { StoreSession } from './store-session.js';

/** The end of rule R17. The refresh token stays: a late pair or recovery may still need it. */
export async function eraseRejectedAccessToken(
  session: StoreSession,
  id: AuthorizationId,
  version: number,
): Promise<boolean> {
  if (!isAuthorizationId(id)) return false;
  return updateAuthorization(
    session,
    id,
    { sealedAccessToken: null },
    {
      guard: `version = :version AND status = 'needs_reconnect' AND reason = 'lost_rotation'`,
      parameters: { version },
    },
  );
}
