import { GrantRefusal } from './grant.refusal.js';
import type { ModeSwitch } from './simulator.modes.js';
import type { Randomness } from './randomness.js';
import type { TokenMint } from './token.mint.js';
import type { IssuedToken, TokenRegister, TokenStatus } from './token.register.js';

/** What a person decided on the consent page. */
export interface Consent {
  readonly workspaceId: string;
  readonly personId: string;
  readonly pageIds: readonly string[];
}

/** One person's grant of one workspace to the connection; Notion shows it to the application as a bot. */
export interface Grant extends Consent {
  readonly botId: string;
  readonly generation: number;
  /** The first generation of the newest authorization: reuse detection looks no further back. */
  readonly familySince: number;
  /** Page made from the connection's template; `null` without one. */
  readonly duplicatedTemplateId: string | null;
  readonly revoked: boolean;
}

/** The tokens of an answer; `refreshToken` is `undefined` where the answer leaves the field out. */
export interface IssuedPair {
  readonly grant: Grant;
  readonly accessToken: string;
  readonly refreshToken: string | null | undefined;
  /** False when a re-authorization returned the pair that was already there. */
  readonly fresh: boolean;
}

type MutableGrant = { -readonly [Key in keyof Grant]: Grant[Key] };

/** Grants and the life of their tokens. */
export class GrantBook {
  private readonly grants = new Map<string, MutableGrant>();
  private readonly botOfPerson = new Map<string, string>();
  /** The refresh token used last, by bot: in the grace mode it is accepted once more. */
  private readonly lastSpent = new Map<string, IssuedToken>();

  constructor(
    private readonly register: TokenRegister,
    private readonly modes: ModeSwitch,
    private readonly randomness: Randomness,
    private readonly tokens: TokenMint,
  ) {}

  /** Mints a pair, or returns the one that lives, as the re-authorization mode has it. */
  authorize(consent: Consent, request: number | null): IssuedPair {
    const previous = this.grantOf(consent);
    const grant =
      this.modes.current.botId === 'stable' ? (previous ?? this.newGrant(consent)) : this.newGrant(consent);
    const kept = grant === previous && !grant.revoked ? this.livingPair(grant) : undefined;
    grant.pageIds = consent.pageIds;
    if (kept !== undefined && this.modes.current.reauthorization === 'same_pair') return kept;
    if (previous !== undefined && this.modes.current.oldPairOnReauthorization === 'dies') {
      this.endAll(previous.botId, 'revoked', request);
    }
    this.lastSpent.delete(grant.botId);
    grant.revoked = false;
    grant.familySince = grant.generation + 1;
    return this.mint(grant, this.modes.current.refreshTokens === 'issued', request);
  }

  /**
   * @param onReplay - Called when the token had been spent before, whatever is decided then.
   * @throws {@link GrantRefusal}
   */
  refresh(refreshToken: string, request: number, onReplay: () => void): IssuedPair {
    const presented = this.register.find(refreshToken);
    const grant = presented?.kind === 'refresh' ? this.grants.get(presented.botId) : undefined;
    if (presented === undefined || grant === undefined) {
      throw new GrantRefusal('invalid_grant', 'Invalid refresh token.');
    }
    if (presented.status === 'spent') {
      onReplay();
      this.judgeReplay(presented, grant, request);
    } else if (presented.status !== 'live') {
      throw new GrantRefusal('invalid_grant', 'Invalid refresh token: it has been revoked or has expired.');
    }
    return this.renew(presented, grant, request);
  }

  /** Ends what the revocation mode says; a token that is dead or unknown is left as it is. */
  revokeToken(value: string, request: number): void {
    const token = this.register.find(value);
    if (token?.status !== 'live') return;
    const { revocation } = this.modes.current;
    if (revocation === 'grant') this.revokeGrant(token.botId, request);
    else if (revocation === 'token') this.register.end(token, 'revoked', request);
    else this.endWhere(token.botId, (other) => other.generation === token.generation, 'revoked', request);
  }

  revokeGrant(botId: string, request: number | null): void {
    const grant = this.grants.get(botId);
    if (grant === undefined) throw new Error(`There is no grant with bot id ${botId}.`);
    grant.revoked = true;
    this.endAll(botId, 'revoked', request);
  }

  expireAccessTokens(botId: string): void {
    this.endWhere(botId, (token) => token.kind === 'access', 'expired', null);
  }

  find(botId: string): Grant | undefined {
    return this.grants.get(botId);
  }

  list(): Grant[] {
    return [...this.grants.values()];
  }

  restore(grants: readonly Grant[]): void {
    for (const grant of grants) this.remember({ ...grant });
  }

  private judgeReplay(presented: IssuedToken, grant: Grant, request: number): void {
    const { rotation } = this.modes.current;
    if (rotation === 'grace' && this.lastSpent.get(grant.botId) === presented) {
      this.endWhere(grant.botId, (token) => token.kind === 'refresh', 'revoked', request);
      return;
    }
    const inFamily = presented.generation >= grant.familySince;
    if (rotation === 'reuse_kills_family' && inFamily) this.revokeGrant(grant.botId, request);
    throw new GrantRefusal('invalid_grant', 'Invalid refresh token: it has been used before.');
  }

  private renew(presented: IssuedToken, grant: MutableGrant, request: number): IssuedPair {
    const { oldAccessToken, refreshTokenOnRefresh } = this.modes.current;
    if (oldAccessToken === 'dies') {
      this.endWhere(grant.botId, (token) => token.kind === 'access', 'spent', request);
    }
    if (refreshTokenOnRefresh !== 'rotated') {
      const pair = this.mint(grant, false, request);
      return { ...pair, refreshToken: refreshTokenOnRefresh === 'null' ? null : undefined };
    }
    this.register.end(presented, 'spent', request);
    this.lastSpent.set(grant.botId, presented);
    return this.mint(grant, true, request);
  }

  private mint(grant: MutableGrant, withRefreshToken: boolean, request: number | null): IssuedPair {
    grant.generation += 1;
    const { accessTokenLifetimeMs } = this.modes.current;
    const issuedAtMs = Date.now();
    const common = { botId: grant.botId, generation: grant.generation, issuedBy: request, issuedAtMs };
    const expiresAtMs = accessTokenLifetimeMs === null ? null : issuedAtMs + accessTokenLifetimeMs;
    const access = this.register.add({
      ...common,
      kind: 'access',
      value: this.tokens.make('access'),
      expiresAtMs,
    });
    const refresh = withRefreshToken
      ? this.register.add({
          ...common,
          kind: 'refresh',
          value: this.tokens.make('refresh'),
          expiresAtMs: null,
        })
      : null;
    return { grant, accessToken: access.value, refreshToken: refresh?.value ?? null, fresh: true };
  }

  private livingPair(grant: Grant): IssuedPair | undefined {
    const alive = this.register.alive(grant.botId);
    const access = alive.findLast((token) => token.kind === 'access');
    const refresh = alive.findLast((token) => token.kind === 'refresh');
    if (access === undefined) return undefined;
    return { grant, accessToken: access.value, refreshToken: refresh?.value ?? null, fresh: false };
  }

  private newGrant(consent: Consent): MutableGrant {
    const { workspaceId, personId, pageIds } = consent;
    return this.remember({
      workspaceId,
      personId,
      pageIds,
      botId: this.randomness.uuid(),
      generation: 0,
      familySince: 1,
      duplicatedTemplateId: null,
      revoked: false,
    });
  }

  private remember(grant: MutableGrant): MutableGrant {
    this.grants.set(grant.botId, grant);
    this.botOfPerson.set(personKey(grant), grant.botId);
    return grant;
  }

  private grantOf(consent: Consent): MutableGrant | undefined {
    const botId = this.botOfPerson.get(personKey(consent));
    return botId === undefined ? undefined : this.grants.get(botId);
  }

  private endAll(botId: string, status: Exclude<TokenStatus, 'live'>, request: number | null): void {
    this.endWhere(botId, () => true, status, request);
  }

  private endWhere(
    botId: string,
    applies: (token: IssuedToken) => boolean,
    status: Exclude<TokenStatus, 'live'>,
    request: number | null,
  ): void {
    for (const token of this.register.alive(botId)) {
      if (applies(token)) this.register.end(token, status, request);
    }
  }
}

function personKey(consent: Pick<Consent, 'workspaceId' | 'personId'>): string {
  return `${consent.workspaceId} ${consent.personId}`;
}
