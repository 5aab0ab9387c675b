import type { JournaledAttempt } from '../domain/authorization-directory.js';
import type { Authorization } from '../domain/authorization.js';
import type { ConsoleLinks } from './console-links.js';
import type { Note } from './signed-notes.js';

export interface AuthorizationContent {
  readonly links: ConsoleLinks;
  readonly now: Date;
  readonly formToken: string;
  readonly authorization: Authorization;
  readonly owners: readonly string[];
  readonly attempts: readonly JournaledAttempt[];
  readonly note: Note | null;
  /** Shown when it was asked for. */
  readonly reconnectLink: string | null;
  /** Whose disconnect has to be confirmed: an owner's, `all`, or nobody's. */
  readonly asksToDisconnect: { readonly owner: string } | 'all' | null;
}
