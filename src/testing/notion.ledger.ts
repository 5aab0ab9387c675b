import { countsOf, type RequestCounts, type Tally } from './ledger.tally.js';
import type { LedgerRequest, RequestJournal } from './request.journal.js';
import type { IssuedToken, TokenRegister } from './token.register.js';

/** A point in the ledger, to count from. */
export interface LedgerMark {
  readonly requestNumber: number;
  readonly tally: Tally;
}

export interface ApiCallFilter {
  /** HTTP status of the answer; `0` for calls left without one. */
  readonly status?: number;
  readonly botId?: string;
}

/** The values of a grant's newest pair that Notion still accepts. */
export interface LivePair {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
}

type ByFilter<Item> = Partial<Item> | ((item: Item) => boolean);

/**
 * Counts of what reached the simulator, from a point on. "Reached" includes requests whose connection the
 * simulator dropped, and those it refused. All counts are exact, however many requests there were.
 */
export class LedgerCounts {
  constructor(
    protected readonly journal: RequestJournal,
    private readonly from?: LedgerMark,
  ) {}

  /** Requests to the token endpoint, both grants, of one bot or of all. */
  tokenRequests(botId?: string): number {
    return this.count((counts) => counts.tokenRequests, botId);
  }

  /** Refresh requests, successful or not, of one bot or of all. */
  refreshes(botId?: string): number {
    return this.count((counts) => counts.refreshes, botId);
  }

  /** Refresh requests that issued a new pair, whether or not the answer got through. */
  rotations(botId?: string): number {
    return this.count((counts) => counts.rotations, botId);
  }

  /** Refresh requests that presented a token spent before (also where the grace mode accepted it). */
  replaysOfSpentTokens(botId?: string): number {
    return this.count((counts) => counts.replays, botId);
  }

  /** Refresh requests that arrived while another with the same refresh token was not answered yet. */
  overlappingRefreshes(botId?: string): number {
    return this.count((counts) => counts.overlaps, botId);
  }

  introspections(botId?: string): number {
    return this.count((counts) => counts.introspections, botId);
  }

  revocations(botId?: string): number {
    return this.count((counts) => counts.revocations, botId);
  }

  /** Calls of anything that is not an OAuth endpoint. The bot is the one whose token was presented. */
  apiCalls({ status, botId }: ApiCallFilter = {}): number {
    return this.count(
      (counts) => (status === undefined ? counts.apiCalls : (counts.apiByStatus[status] ?? 0)),
      botId,
    );
  }

  /** The last requests, oldest first; how many are kept is an option of the simulator. */
  requests(filter: ByFilter<LedgerRequest> = {}): LedgerRequest[] {
    const after = this.from?.requestNumber ?? 0;
    return this.journal.recent().filter((request) => request.number > after && matches(request, filter));
  }

  private count(pick: (counts: Readonly<RequestCounts>) => number, botId?: string): number {
    const before = this.from === undefined ? 0 : pick(countsOf(this.from.tally, botId));
    return pick(countsOf(this.journal.tally.live, botId)) - before;
  }
}

/** Everything the simulator knows that a client must not: every token it issued and every request it saw. */
export class NotionLedger extends LedgerCounts {
  constructor(
    journal: RequestJournal,
    private readonly register: TokenRegister,
  ) {
    super(journal);
  }

  /** Remembers this point, for {@link NotionLedger.since}. */
  mark(): LedgerMark {
    return { requestNumber: this.journal.lastNumber, tally: this.journal.tally.snapshot() };
  }

  /** The same counts, without what happened before the mark. */
  since(mark: LedgerMark): LedgerCounts {
    return new LedgerCounts(this.journal, mark);
  }

  /** Every token ever issued, oldest first. */
  tokens(filter: ByFilter<IssuedToken> = {}): IssuedToken[] {
    const botId = typeof filter === 'function' ? undefined : filter.botId;
    return this.register.list(botId).filter((token) => matches(token, filter));
  }

  token(value: string): IssuedToken | undefined {
    return this.register.find(value);
  }

  /** True when Notion would accept this access or refresh token now. */
  isLive(value: string): boolean {
    return this.register.find(value)?.status === 'live';
  }

  /** What of the bot's tokens is alive; the newest where several are. */
  live(botId: string): LivePair {
    const alive = this.register.alive(botId);
    return { accessToken: newest(alive, 'access'), refreshToken: newest(alive, 'refresh') };
  }
}

function newest(tokens: readonly IssuedToken[], kind: IssuedToken['kind']): string | null {
  return tokens.findLast((token) => token.kind === kind)?.value ?? null;
}

function matches<Item extends object>(item: Item, filter: ByFilter<Item>): boolean {
  if (typeof filter === 'function') return filter(item);
  return Object.entries(filter).every(([key, wanted]) => Reflect.get(item, key) === wanted);
}
