import type { Authorization, AuthorizationId, AuthorizationStatus } from './authorization.js';
import type { AttemptOutcome, RefreshTrigger } from './refresh-outcome.js';

/** Which authorizations are listed; without any of these, all. */
export interface DirectoryQuery {
  readonly status?: AuthorizationStatus;
  readonly ownerId?: string;
  readonly workspaceId?: string;
  readonly botId?: string;
  /** The last id of the page before. */
  readonly after?: AuthorizationId;
  /** At most so many; 1 to 500. */
  readonly limit: number;
}

/** The place in a listing behind which it goes on. */
export interface DirectoryPlace {
  readonly statusSince: Date;
  readonly id: AuthorizationId;
}

/** What people look for. */
export interface DirectorySearch {
  readonly status?: AuthorizationStatus;
  /**
   * Any part of a workspace's name, whatever its case, or the beginning of an id: of the authorization, the workspace,
   * the bot, the person, or an owner.
   */
  readonly text?: string;
  /** Where the page before ended. */
  readonly after?: DirectoryPlace;
  /** At most so many; 1 to 500. */
  readonly limit: number;
}

/** One attempt to refresh, as its journal has it. */
export interface JournaledAttempt {
  readonly id: string;
  readonly trigger: RefreshTrigger;
  readonly spentVersion: number;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** `null` while under way. */
  readonly outcome: AttemptOutcome | null;
  readonly status: number | null;
  readonly code: string | null;
  readonly requestId: string | null;
  /** How long Notion took, in milliseconds. */
  readonly upstreamMs: number | null;
}

/**
 * All authorizations of the client, for operators. Holds no token, and asks for no owner: never let a request of a
 * tenant reach it.
 */
export abstract class AuthorizationDirectory {
  /** In the order of their ids. */
  abstract page(query: DirectoryQuery): Promise<readonly Authorization[]>;

  /** Those whose status changed last come first. Looks at every row of the client: for pages, not for requests. */
  abstract search(search: DirectorySearch): Promise<readonly Authorization[]>;

  abstract find(id: AuthorizationId): Promise<Authorization | null>;

  /** How many a sweep would renew that renews what is older than this. */
  abstract countDue(olderThanMs: number): Promise<number>;

  /** Who may use it, those linked first first. */
  abstract ownersOf(id: AuthorizationId): Promise<readonly string[]>;

  /** The last attempts, newest first. */
  abstract attemptsOf(id: AuthorizationId, limit: number): Promise<readonly JournaledAttempt[]>;
}
