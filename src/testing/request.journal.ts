import type { EndpointKind } from './endpoint.kind.js';
import type { FaultKind } from './simulator.faults.js';
import { TallyKeeper } from './ledger.tally.js';

/** One request that reached the simulator. */
export interface LedgerRequest {
  /** Counted from 1 in order of arrival. */
  readonly number: number;
  readonly receivedAt: Date;
  readonly method: string;
  readonly path: string;
  readonly endpoint: EndpointKind;
  readonly grantType: string | null;
  /** The bot whose token (access or refresh, dead or alive) the request presented, or whose code it exchanged. */
  readonly botId: string | null;
  /** Generation of the token presented; `null` when it was never issued here. */
  readonly generation: number | null;
  /** HTTP status sent; `null` while there is no answer, and for good when the connection was dropped. */
  readonly status: number | null;
  /** True when a token pair was issued in answer, whether or not the answer arrived. */
  readonly rotated: boolean;
  /** True when the refresh token presented had been spent before. */
  readonly replay: boolean;
  /** True when another request with the same refresh token had not been answered yet. */
  readonly overlapping: boolean;
  readonly fault: FaultKind | null;
  /** Which TCP connection carried it, counted from 1. */
  readonly connection: number;
}

export type RequestEntry = { -readonly [Key in keyof LedgerRequest]: LedgerRequest[Key] };

export type ArrivedRequest = Pick<
  LedgerRequest,
  'method' | 'path' | 'endpoint' | 'grantType' | 'botId' | 'generation' | 'connection'
> & { readonly refreshToken: string | null };

/** Writes down what arrives. Counts are exact for ever; entries are kept for the last requests only. */
export class RequestJournal {
  readonly tally = new TallyKeeper();
  private readonly oauthRequests: RecentEntries;
  private readonly apiRequests: RecentEntries;
  private readonly refreshTokensInFlight = new Map<string, number>();
  private arrived = 0;

  constructor(kept: number) {
    this.oauthRequests = new RecentEntries(kept);
    this.apiRequests = new RecentEntries(kept);
  }

  get lastNumber(): number {
    return this.arrived;
  }

  open({ refreshToken, ...facts }: ArrivedRequest): RequestEntry {
    const overlapping = refreshToken !== null && this.refreshTokensInFlight.has(refreshToken);
    const entry: RequestEntry = {
      ...facts,
      number: ++this.arrived,
      receivedAt: new Date(),
      status: null,
      rotated: false,
      replay: false,
      overlapping,
      fault: null,
    };
    (facts.endpoint === 'api' ? this.apiRequests : this.oauthRequests).add(entry);
    this.countArrival(entry);
    if (refreshToken !== null) this.changeInFlight(refreshToken, 1);
    return entry;
  }

  /** Says that the request with this refresh token is over: answered, or its connection is gone. */
  leave(refreshToken: string): void {
    this.changeInFlight(refreshToken, -1);
  }

  /** Names the bot of a code exchange, which is known only once the code was accepted. */
  assignBot(entry: RequestEntry, botId: string): void {
    entry.botId = botId;
    this.tally.addToBot('tokenRequests', botId);
  }

  markReplay(entry: RequestEntry): void {
    entry.replay = true;
    this.tally.add('replays', entry.botId);
  }

  markRotation(entry: RequestEntry): void {
    entry.rotated = true;
    if (entry.grantType === 'refresh_token') this.tally.add('rotations', entry.botId);
  }

  /** @param status - `null` when the connection was dropped instead of answered. */
  settle(entry: RequestEntry, status: number | null): void {
    entry.status = status;
    if (entry.endpoint === 'api') this.tally.addApiStatus(status ?? 0, entry.botId);
  }

  /** The requests still kept, oldest first. */
  recent(): LedgerRequest[] {
    return [...this.oauthRequests.list(), ...this.apiRequests.list()].sort((a, b) => a.number - b.number);
  }

  private countArrival(entry: RequestEntry): void {
    if (entry.endpoint === 'api') this.tally.add('apiCalls', entry.botId);
    if (entry.endpoint === 'introspect') this.tally.add('introspections', entry.botId);
    if (entry.endpoint === 'revoke') this.tally.add('revocations', entry.botId);
    if (entry.endpoint === 'token') this.tally.add('tokenRequests', entry.botId);
    if (entry.grantType === 'refresh_token') this.tally.add('refreshes', entry.botId);
    if (entry.overlapping) this.tally.add('overlaps', entry.botId);
  }

  private changeInFlight(refreshToken: string, by: 1 | -1): void {
    const inFlight = (this.refreshTokensInFlight.get(refreshToken) ?? 0) + by;
    if (inFlight > 0) this.refreshTokensInFlight.set(refreshToken, inFlight);
    else this.refreshTokensInFlight.delete(refreshToken);
  }
}

class RecentEntries {
  private readonly entries: RequestEntry[] = [];
  private added = 0;

  constructor(private readonly kept: number) {}

  add(entry: RequestEntry): void {
    this.entries[this.added % this.kept] = entry;
    this.added += 1;
  }

  list(): RequestEntry[] {
    return this.entries;
  }
}
