import type { IssuedToken, LedgerRequest, NotionSimulatorControl } from 'nestjs-notion-auth/testing';
import type { StoredRow, StoredRows, StoredVersion } from './stored.rows.js';
import type { Tally } from './statistics.js';

/**
 * - `good`: the stored refresh token is alive, and the row says so; or the person revoked and the row says so.
 * - `lost`: the stored refresh token is dead although nobody revoked the grant, and the row says so.
 * - `dead_but_active`: the same, and the row still calls it active.
 * - `wrong_reconnect`: the row asks for a reconnect, and the stored refresh token is alive.
 * - `revoked_but_active`: the person revoked, and no refresh has noticed yet.
 */
export type RowVerdict = 'good' | 'lost' | 'dead_but_active' | 'wrong_reconnect' | 'revoked_but_active';

export interface JudgedRow extends StoredRow {
  readonly verdict: RowVerdict;
  /** Which pair of its grant is stored, counted from 1 by Notion; `null` for one that Notion never issued. */
  readonly generation: number | null;
}

/** What the rows are worth, by Notion's own ledger. */
export interface Findings {
  readonly rows: readonly JudgedRow[];
  readonly good: number;
  /** Both `lost` and `dead_but_active`. */
  readonly lost: number;
  readonly deadButActive: number;
  readonly wrongReconnects: number;
  /** Refresh requests that presented a token while another with the same was not answered (I-1). */
  readonly overlaps: number;
  /** Spent tokens presented although we had stored a successor (I-2); must be 0. */
  readonly replaysSuccessorHeld: number;
  /** Spent tokens presented because the successor never became ours. */
  readonly replaysSuccessorLost: number;
  /** Grants that Notion ended because a spent token was presented. */
  readonly familiesRevoked: number;
  /** Refresh requests that reached Notion. */
  readonly refreshes: number;
  /** How often a row's version went down (I-3); needs the history. */
  readonly versionRegressions: number;
  /** By outcome (I-8). */
  readonly attempts: Tally;
  /** Attempts that nobody works on and that have no ending (I-8); must be 0. */
  readonly unaccounted: number;
}

/**
 * Compares every row with the ledger. The faults must be over and the rows settled.
 * @param revoked - Bot ids whose grant the person revoked, so that their death is no loss.
 */
export async function checkRows(
  stored: StoredRows,
  notion: NotionSimulatorControl,
  revoked: ReadonlySet<string> = new Set(),
): Promise<Findings> {
  const tokens = await notion.ledger.tokens({ kind: 'refresh' });
  const byValue = new Map(tokens.map((token) => [token.value, token]));
  const rows = (await stored.list()).map((row) => judge(row, byValue, revoked));
  const count = (...verdicts: RowVerdict[]) =>
    rows.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const history = await stored.readHistory();
  const replays = await notion.ledger.requests({ replay: true });
  const held = replays.filter((replay) =>
    isSuccessorHeld(replay, successors(rows, history, byValue), tokens),
  );
  const attempts = await stored.countAttempts();
  return {
    rows,
    good: count('good'),
    lost: count('lost', 'dead_but_active'),
    deadButActive: count('dead_but_active'),
    wrongReconnects: count('wrong_reconnect'),
    overlaps: await notion.ledger.overlappingRefreshes(),
    replaysSuccessorHeld: held.length,
    replaysSuccessorLost: (await notion.ledger.replaysOfSpentTokens()) - held.length,
    familiesRevoked: countRevokedFamilies(tokens, replays),
    refreshes: await notion.ledger.refreshes(),
    versionRegressions: countRegressions(history),
    attempts,
    unaccounted: attempts['unaccounted'] ?? 0,
  };
}

type TokensByValue = ReadonlyMap<string, IssuedToken>;

function judge(row: StoredRow, tokens: TokensByValue, revoked: ReadonlySet<string>): JudgedRow {
  const token = row.refreshToken === null ? undefined : tokens.get(row.refreshToken);
  return { ...row, generation: token?.generation ?? null, verdict: verdictOn(row, token, revoked) };
}

function verdictOn(row: StoredRow, token: IssuedToken | undefined, revoked: ReadonlySet<string>): RowVerdict {
  // Disconnected here: its secrets are erased, and there is nothing left to lose.
  if (row.status === 'revoked') return 'good';
  const isActive = row.status === 'active';
  if (token?.status === 'live') return isActive ? 'good' : 'wrong_reconnect';
  if (revoked.has(row.botId)) return isActive ? 'revoked_but_active' : 'good';
  return isActive ? 'dead_but_active' : 'lost';
}

/** The generations of each bot that we are known to have stored. */
function successors(
  rows: readonly JudgedRow[],
  history: readonly StoredVersion[],
  tokens: TokensByValue,
): ReadonlyMap<string, ReadonlySet<number>> {
  const stored = new Map<string, Set<number>>();
  for (const { refreshToken } of [...rows, ...history]) {
    const token = refreshToken === null ? undefined : tokens.get(refreshToken);
    if (token === undefined) continue;
    stored.set(token.botId, (stored.get(token.botId) ?? new Set()).add(token.generation));
  }
  return stored;
}

/** Whether a later pair, issued before the replay came, became ours at any time: also after it, from a journal. */
function isSuccessorHeld(
  replay: LedgerRequest,
  stored: ReadonlyMap<string, ReadonlySet<number>>,
  tokens: readonly IssuedToken[],
): boolean {
  const ours = stored.get(replay.botId ?? '');
  return tokens.some(
    ({ botId, generation, issuedBy }) =>
      botId === replay.botId &&
      generation > (replay.generation ?? Infinity) &&
      (issuedBy ?? 0) < replay.number &&
      ours?.has(generation) === true,
  );
}

function countRevokedFamilies(tokens: readonly IssuedToken[], replays: readonly LedgerRequest[]): number {
  const alive = new Set(tokens.filter(({ status }) => status === 'live').map(({ botId }) => botId));
  const numbers = new Set(replays.map(({ number }) => number));
  const ended = tokens.filter(
    ({ status, endedBy, botId }) =>
      status === 'revoked' && endedBy !== null && numbers.has(endedBy) && !alive.has(botId),
  );
  return new Set(ended.map(({ botId }) => botId)).size;
}

function countRegressions(history: readonly StoredVersion[]): number {
  const highest = new Map<string, number>();
  let regressions = 0;
  for (const { id, version } of history) {
    if (version < (highest.get(id) ?? 0)) regressions += 1;
    highest.set(id, version);
  }
  return regressions;
}
