import type { ControlCaller } from './control.caller.js';
import type { CountQuery } from './control.verbs.js';
import type { ApiCallFilter, LedgerMark, LivePair } from './notion.ledger.js';
import type { LedgerRequest } from './request.journal.js';
import type { IssuedToken } from './token.register.js';

/** {@link LedgerCounts} of a simulator in another process. */
export class RemoteLedgerCounts {
  constructor(
    protected readonly caller: ControlCaller,
    private readonly from: LedgerMark | null = null,
  ) {}

  tokenRequests(botId?: string): Promise<number> {
    return this.count('tokenRequests', botId);
  }

  refreshes(botId?: string): Promise<number> {
    return this.count('refreshes', botId);
  }

  rotations(botId?: string): Promise<number> {
    return this.count('rotations', botId);
  }

  replaysOfSpentTokens(botId?: string): Promise<number> {
    return this.count('replaysOfSpentTokens', botId);
  }

  overlappingRefreshes(botId?: string): Promise<number> {
    return this.count('overlappingRefreshes', botId);
  }

  introspections(botId?: string): Promise<number> {
    return this.count('introspections', botId);
  }

  revocations(botId?: string): Promise<number> {
    return this.count('revocations', botId);
  }

  apiCalls(filter?: ApiCallFilter): Promise<number> {
    return this.caller.call('apiCalls', this.from, filter);
  }

  async requests(filter?: Partial<LedgerRequest>): Promise<LedgerRequest[]> {
    const requests = await this.caller.call('requests', this.from, filter);
    return requests.map((request) => ({ ...request, receivedAt: new Date(request.receivedAt) }));
  }

  private count(query: CountQuery, botId?: string): Promise<number> {
    return this.caller.call('count', this.from, query, botId);
  }
}

/** {@link NotionLedger} of a simulator in another process. Filters are objects; functions do not travel. */
export class RemoteLedger extends RemoteLedgerCounts {
  mark(): Promise<LedgerMark> {
    return this.caller.call('mark');
  }

  since(mark: LedgerMark): RemoteLedgerCounts {
    return new RemoteLedgerCounts(this.caller, mark);
  }

  tokens(filter?: Partial<IssuedToken>): Promise<IssuedToken[]> {
    return this.caller.call('tokens', filter);
  }

  async token(value: string): Promise<IssuedToken | undefined> {
    return (await this.caller.call('token', value)) ?? undefined;
  }

  isLive(value: string): Promise<boolean> {
    return this.caller.call('isLive', value);
  }

  live(botId: string): Promise<LivePair> {
    return this.caller.call('live', botId);
  }
}
