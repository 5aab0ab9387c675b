/** One token that the simulator has issued, with what became of it. */
export interface IssuedToken {
  readonly kind: 'access' | 'refresh';
  readonly value: string;
  readonly botId: string;
  /** Which pair of its grant it came with, counted from 1. */
  readonly generation: number;
  /**
   * - `live`: Notion accepts it.
   * - `spent`: used up by a refresh (the whole pair, in modes where the access token dies too).
   * - `revoked`: ended by a person, by the application, by a re-authorization, or by reuse detection.
   * - `expired`: an access token that Notion forgot.
   */
  readonly status: TokenStatus;
  /** Number of the request that it was issued by; `null` for one minted by the test itself. */
  readonly issuedBy: number | null;
  /** Number of the request that ended it; `null` while it lives, and when no request did. */
  readonly endedBy: number | null;
  /** Epoch milliseconds. */
  readonly issuedAtMs: number;
  /** Epoch milliseconds; `null` for a token that never expires by itself. */
  readonly expiresAtMs: number | null;
}

export type TokenStatus = 'live' | 'spent' | 'revoked' | 'expired';

type MutableToken = { -readonly [Key in keyof IssuedToken]: IssuedToken[Key] };

/** Every token ever issued, by value. Nothing is forgotten: a replay of the oldest one is still recognized. */
export class TokenRegister {
  private readonly tokens = new Map<string, MutableToken>();
  private readonly byBot = new Map<string, MutableToken[]>();
  /** Kept apart so that ending a pair costs the same after the millionth refresh. */
  private readonly aliveByBot = new Map<string, Set<MutableToken>>();

  add(token: Omit<IssuedToken, 'status' | 'endedBy'>): IssuedToken {
    if (this.tokens.has(token.value)) {
      throw new Error(`The token factory returned the same ${token.kind} token twice.`);
    }
    return this.keep({ ...token, status: 'live', endedBy: null });
  }

  /** Finds a token by its value, whatever its status. */
  find(value: string): IssuedToken | undefined {
    const token = this.tokens.get(value);
    if (token !== undefined) this.expireIfDue(token);
    return token;
  }

  /** Ends a live token; one that ended before keeps its first end. */
  end(token: IssuedToken, status: Exclude<TokenStatus, 'live'>, endedBy: number | null): void {
    const known = this.tokens.get(token.value);
    if (known?.status !== 'live') return;
    known.status = status;
    known.endedBy = endedBy;
    this.aliveByBot.get(known.botId)?.delete(known);
  }

  /** Oldest first; of one bot, or of all. */
  list(botId?: string): IssuedToken[] {
    const tokens = botId === undefined ? [...this.tokens.values()] : [...(this.byBot.get(botId) ?? [])];
    for (const token of tokens) this.expireIfDue(token);
    return tokens;
  }

  /** The bot's tokens that Notion accepts, oldest first. */
  alive(botId: string): IssuedToken[] {
    const tokens = [...(this.aliveByBot.get(botId) ?? [])];
    for (const token of tokens) this.expireIfDue(token);
    return tokens.filter((token) => token.status === 'live');
  }

  restore(tokens: readonly IssuedToken[]): void {
    for (const token of tokens) this.keep({ ...token });
  }

  private keep(token: MutableToken): MutableToken {
    this.tokens.set(token.value, token);
    const siblings = this.byBot.get(token.botId) ?? [];
    this.byBot.set(token.botId, siblings);
    siblings.push(token);
    if (token.status === 'live') this.aliveOf(token.botId).add(token);
    return token;
  }

  private aliveOf(botId: string): Set<MutableToken> {
    const alive = this.aliveByBot.get(botId) ?? new Set();
    this.aliveByBot.set(botId, alive);
    return alive;
  }

  private expireIfDue(token: MutableToken): void {
    if (token.status !== 'live' || token.expiresAtMs === null || Date.now() < token.expiresAtMs) return;
    token.status = 'expired';
    this.aliveByBot.get(token.botId)?.delete(token);
  }
}
