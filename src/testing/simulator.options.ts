import type { TokenFactory } from './token.mint.js';
import type { NotionPerson, NotionWorkspace } from './sample-workspaces.js';
import type { SimulatorModesChange } from './simulator.modes.js';

export interface NotionSimulatorOptions {
  /** @defaultValue a free port */
  readonly port?: number;
  /** @defaultValue a made-up UUID, kept in `persistTo` when that is given */
  readonly clientId?: string;
  /** @defaultValue made up, kept in `persistTo` when that is given */
  readonly clientSecret?: string;
  /** Name of the connection, as the consent page and bot users show it. */
  readonly connectionName?: string;
  /**
   * Redirect URIs registered with the connection, compared byte for byte. Without this option every absolute
   * URI is accepted.
   */
  readonly redirectUris?: readonly string[];
  /** @defaultValue two sample workspaces */
  readonly workspaces?: readonly NotionWorkspace[];
  /** @defaultValue two sample people */
  readonly people?: readonly NotionPerson[];
  /** What {@link NotionSimulator.reset} returns to. */
  readonly modes?: SimulatorModesChange;
  /** A file that keeps grants and tokens over restarts. It holds tokens in clear; it is made with mode 0600. */
  readonly persistTo?: string;
  /** Makes ids and tokens repeatable (request ids excepted). */
  readonly seed?: number;
  /** Makes the values of tokens and codes, for example to plant strings that a test can search for. */
  readonly tokenFactory?: TokenFactory;
  /** How long the server keeps an idle connection open, in milliseconds. @defaultValue `60_000` */
  readonly keepAliveMs?: number;
  /** How many requests the ledger keeps in full, for OAuth endpoints and for API calls each. @defaultValue `10_000` */
  readonly keptRequests?: number;
}
