/** Counts of requests that reached the simulator. */
export interface RequestCounts {
  tokenRequests: number;
  refreshes: number;
  rotations: number;
  replays: number;
  overlaps: number;
  introspections: number;
  revocations: number;
  apiCalls: number;
  /** API calls by HTTP status; `0` counts those left without an answer. */
  apiByStatus: Record<number, number>;
}

/** Counts in total and by bot. Plain data: it may be kept, sent, and subtracted. */
export interface Tally {
  readonly total: RequestCounts;
  readonly byBot: Readonly<Record<string, RequestCounts>>;
}

export type CountName = Exclude<keyof RequestCounts, 'apiByStatus'>;

const NOTHING: Readonly<RequestCounts> = emptyCounts();

/** Keeps a tally. Its size depends on the number of bots, not on the number of requests. */
export class TallyKeeper {
  private readonly total = emptyCounts();
  private readonly byBot: Record<string, RequestCounts> = {};

  add(name: CountName, botId: string | null): void {
    this.total[name] += 1;
    if (botId !== null) this.addToBot(name, botId);
  }

  /** Adds to the bot's count alone; the request is in the total already. */
  addToBot(name: CountName, botId: string): void {
    this.ofBot(botId)[name] += 1;
  }

  addApiStatus(status: number, botId: string | null): void {
    addStatus(this.total, status);
    if (botId !== null) addStatus(this.ofBot(botId), status);
  }

  /** The counts as they stand; not a copy. */
  get live(): Tally {
    return { total: this.total, byBot: this.byBot };
  }

  snapshot(): Tally {
    return structuredClone(this.live);
  }

  private ofBot(botId: string): RequestCounts {
    return (this.byBot[botId] ??= emptyCounts());
  }
}

/** The counts of one bot, or of everything when none is named. */
export function countsOf(tally: Tally, botId?: string): Readonly<RequestCounts> {
  return botId === undefined ? tally.total : (tally.byBot[botId] ?? NOTHING);
}

function addStatus(counts: RequestCounts, status: number): void {
  counts.apiByStatus[status] = (counts.apiByStatus[status] ?? 0) + 1;
}

function emptyCounts(): RequestCounts {
  return {
    tokenRequests: 0,
    refreshes: 0,
    rotations: 0,
    replays: 0,
    overlaps: 0,
    introspections: 0,
    revocations: 0,
    apiCalls: 0,
    apiByStatus: {},
  };
}
