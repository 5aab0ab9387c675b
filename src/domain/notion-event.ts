import type { AuthorizationId } from './authorization.js';

/**
 * What an application may want to hear of, once for each transition over all replicas:
 *
 * - `connected`: an authorization is new, or came back after a disconnect.
 * - `needs_reconnect`: only the person can help; `reason` says why.
 * - `recovered`: an authorization that needed reconnecting is active again: its user has reconnected, a token pair has
 *   arrived late, or a failover recovery has put it back.
 * - `disconnected`: the last owner left, and the secrets are erased here.
 * - `refresh_failed`: an attempt may have reached Notion and its answer is not known; it resolves itself, or ends as
 *   `needs_reconnect`.
 * - `configuration_alarm`: all refreshes are held back; `reason` is the breaker, `configuration` or `mass_dead`.
 * - `error_spike`, `refresh_storm`: one authorization stands out.
 */
export const NOTION_EVENT_NAMES = [
  'connected',
  'needs_reconnect',
  'recovered',
  'disconnected',
  'refresh_failed',
  'configuration_alarm',
  'error_spike',
  'refresh_storm',
] as const;

export type NotionEventName = (typeof NOTION_EVENT_NAMES)[number];

/** Holds no token, secret, code or state. */
export interface NotionAuthEvent {
  /** The same each time the event is delivered: keep it to recognise one that comes again. */
  readonly id: string;
  readonly name: NotionEventName;
  /** The Notion client (integration) that it is about: a listener hears the events of every client in its application. */
  readonly clientId: string;
  /** When it happened, by the database's clock. */
  readonly at: Date;
  /** `null` where the event is about the whole client. */
  readonly authorizationId: AuthorizationId | null;
  readonly reason: string | null;
  /** Who uses the authorization now; after a disconnect, who left. */
  readonly ownerIds: readonly string[];
  readonly botId: string | null;
  readonly workspaceId: string | null;
  readonly workspaceName: string | null;
}
