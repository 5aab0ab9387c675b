import type { AuthorizationId, AuthorizationStatus } from './authorization.js';

/** An authorization that an event is for, and the application's owners of it. */
export interface LinkedAuthorization {
  readonly id: AuthorizationId;
  readonly botId: string;
  readonly workspaceId: string;
  readonly status: Exclude<AuthorizationStatus, 'revoked'>;
  readonly ownerIds: readonly string[];
}

/** Who may learn of something that happened in a workspace. */
export abstract class WebhookAudience {
  /** The authorizations of these bots in this workspace that somebody still owns. */
  abstract linkedTo(workspaceId: string, botIds: readonly string[]): Promise<readonly LinkedAuthorization[]>;
}
