/** Where the error was met. */
export const DIAGNOSIS_STAGES = ['exchange', 'refresh', 'api', 'webhook'] as const;

/**
 * - `exchange`: the code of a callback was exchanged for tokens.
 * - `refresh`: a refresh token was spent, or a token introspected or revoked.
 * - `api`: any call with an access token.
 * - `webhook`: a delivery from Notion.
 */
export type DiagnosisStage = (typeof DIAGNOSIS_STAGES)[number];

/**
 * Whose matter it is.
 *
 * - `grant`: the grant is over; the person connects again.
 * - `connect`: this connect is over, and no stored grant is touched; the person starts again.
 * - `token`: the access token is; a refresh mends it without anybody.
 * - `permission`: sharing or capabilities; the token is alive.
 * - `configuration`: credentials, keys, addresses or versions of this application.
 * - `request`: the call itself is wrong.
 * - `limit`: too much at once; later.
 * - `upstream`: Notion's own trouble; later.
 * - `network`: the way to Notion, and what stands on it.
 * - `storage`: this application's database.
 * - `unknown`: nothing that is known was found.
 */
export type DiagnosisFamily =
  | 'grant'
  | 'connect'
  | 'token'
  | 'permission'
  | 'configuration'
  | 'request'
  | 'limit'
  | 'upstream'
  | 'network'
  | 'storage'
  | 'unknown';

/** What an error most likely is. Holds no text of the error but its status and its request id. */
export interface Diagnosis {
  readonly family: DiagnosisFamily;
  /** The code it was recognised by, of Notion, of this library, or a name for what has none (`edge_blocked`). */
  readonly code: string;
  readonly stage: DiagnosisStage;
  readonly summary: string;
  /** The likeliest first. */
  readonly causes: readonly string[];
  /** What to do, in this order. */
  readonly fix: readonly string[];
  /** Whether nobody but the person who connected Notion can help. */
  readonly needsPerson: boolean;
  /** HTTP status, where there was one. */
  readonly status?: number;
  /** Notion's request id, for its support. */
  readonly requestId?: string;
  /** Section of the runbook that ships with the package. */
  readonly runbook: string;
}

/** What is known of one kind of error. */
export type Rule = Pick<Diagnosis, 'family' | 'summary' | 'causes' | 'fix' | 'needsPerson'>;
