/**
 * How the simulated Notion behaves where the real one's behaviour is undocumented, has changed over time, or
 * differs between connections. A client that works in every mode does not depend on a guess.
 */
export interface SimulatorModes {
  /**
   * What becomes of a refresh token once it was used.
   * - `strict`: it is spent; presenting it again is `invalid_grant`.
   * - `grace`: the one used last is accepted again; its earlier successor dies.
   * - `reuse_kills_family`: presenting a spent one is `invalid_grant` and ends the whole grant
   *   (RFC 9700 section 4.14.2).
   * @defaultValue `'strict'`
   */
  rotation: 'strict' | 'grace' | 'reuse_kills_family';
  /** Whether earlier access tokens survive a refresh. @defaultValue `'dies'` */
  oldAccessToken: 'dies' | 'lives';
  /** Whether exchanging a code yields a refresh token. @defaultValue `'issued'` */
  refreshTokens: 'issued' | 'null';
  /**
   * Whether a refresh yields a new refresh token. With `null` and `omitted` the one presented stays live
   * (RFC 6749 section 6).
   * @defaultValue `'rotated'`
   */
  refreshTokenOnRefresh: 'rotated' | 'null' | 'omitted';
  /**
   * What a second authorization by the same person for the same workspace yields: Notion's connections created
   * before 2026-06-08 return the pair that is alive, newer ones mint a fresh pair.
   * @defaultValue `'fresh_pair'`
   */
  reauthorization: 'fresh_pair' | 'same_pair';
  /** Whether the pair from before survives when a fresh one is minted. @defaultValue `'dies'` */
  oldPairOnReauthorization: 'dies' | 'lives';
  /** Whether a second authorization keeps the `bot_id`. @defaultValue `'stable'` */
  botId: 'stable' | 'new_each_time';
  /** Who `owner` names: the whole person, only the id (no user-information capability), or the workspace. @defaultValue `'person'` */
  owner: 'person' | 'partial' | 'workspace';
  /** `rfc`: `{"error": …}` as seen live; `api`: `{"object":"error","code": …}` as documented. @defaultValue `'rfc'` */
  oauthErrorShape: 'rfc' | 'api';
  /** What introspection says to a refresh token: its state, or `invalid_request`. @defaultValue `'answers'` */
  introspectRefreshTokens: 'answers' | 'error';
  /** What introspection says to a dead or unknown token: `active: false`, or `invalid_grant`. @defaultValue `'inactive'` */
  introspectDeadTokens: 'inactive' | 'error';
  /** What revoking a token ends: the grant with all its tokens, the token and its partner, or the token alone. @defaultValue `'grant'` */
  revocation: 'grant' | 'pair' | 'token';
  /** Adds `expires_in` (seconds) to token answers; `null` announces nothing, as Notion does. @defaultValue `null` */
  announceExpirySeconds: number | null;
  /** Lets access tokens really expire, in milliseconds after they were issued; `null` never. @defaultValue `null` */
  accessTokenLifetimeMs: number | null;
  /** How long an authorization code may be exchanged, in milliseconds. @defaultValue `600_000` */
  codeLifetimeMs: number;
  /** Delays of the answer, in milliseconds. The request itself is processed on arrival. @defaultValue all `0` */
  delayMs: Readonly<EndpointDelays>;
  /** Whether a request without `Notion-Version` is refused with `missing_version`. @defaultValue `true` */
  requireVersionHeader: boolean;
}

/** Milliseconds by which each kind of endpoint delays its answers. */
export interface EndpointDelays {
  token: number;
  introspect: number;
  revoke: number;
  api: number;
}

/** What {@link NotionSimulator.configure} takes: any part of the modes. */
export type SimulatorModesChange = Partial<Omit<SimulatorModes, 'delayMs'>> & {
  delayMs?: Partial<EndpointDelays>;
};

const NO_DELAYS: Readonly<EndpointDelays> = { token: 0, introspect: 0, revoke: 0, api: 0 };

const DEFAULT_MODES: Readonly<SimulatorModes> = {
  rotation: 'strict',
  oldAccessToken: 'dies',
  refreshTokens: 'issued',
  refreshTokenOnRefresh: 'rotated',
  reauthorization: 'fresh_pair',
  oldPairOnReauthorization: 'dies',
  botId: 'stable',
  owner: 'person',
  oauthErrorShape: 'rfc',
  introspectRefreshTokens: 'answers',
  introspectDeadTokens: 'inactive',
  revocation: 'grant',
  announceExpirySeconds: null,
  accessTokenLifetimeMs: null,
  codeLifetimeMs: 600_000,
  delayMs: NO_DELAYS,
  requireVersionHeader: true,
};

/** The modes in force. Everything that depends on them asks at the moment it acts. */
export class ModeSwitch {
  private modes: Readonly<SimulatorModes> = DEFAULT_MODES;

  constructor(private readonly initial: SimulatorModesChange = {}) {
    this.reset();
  }

  get current(): Readonly<SimulatorModes> {
    return this.modes;
  }

  change(change: SimulatorModesChange): void {
    this.modes = { ...this.modes, ...change, delayMs: { ...this.modes.delayMs, ...change.delayMs } };
  }

  reset(): void {
    this.modes = DEFAULT_MODES;
    this.change(this.initial);
  }
}
