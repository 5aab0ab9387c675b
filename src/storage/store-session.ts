import type { DatabaseSession } from './database-sessions.js';
import type { TokenSeals } from './token-seals.js';

/** What one operation of the store works with: a connection, the client id it is confined to, the seals. */
export interface StoreSession extends DatabaseSession {
  readonly clientId: string;
  readonly seals: TokenSeals;
  /** Names this process in claims and in the attempt journal, for people. */
  readonly processName: string;
}
