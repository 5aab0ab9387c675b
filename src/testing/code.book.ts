import type { Consent } from './grant.book.js';
import { GrantRefusal } from './grant.refusal.js';
import type { ModeSwitch } from './simulator.modes.js';
import type { TokenMint } from './token.mint.js';

interface AuthorizationCode extends Consent {
  readonly redirectUri: string;
  readonly issuedAtMs: number;
  used: boolean;
}

/** Authorization codes: each stands for one person's decision, and is good for one exchange. */
export class CodeBook {
  private readonly codes = new Map<string, AuthorizationCode>();

  constructor(
    private readonly mint: TokenMint,
    private readonly modes: ModeSwitch,
  ) {}

  issue(consent: Consent, redirectUri: string): string {
    const code = this.mint.make('code');
    this.codes.set(code, { ...consent, redirectUri, issuedAtMs: Date.now(), used: false });
    return code;
  }

  /**
   * Uses a code up. A request that is refused for its redirect URI leaves it usable.
   * @throws {@link GrantRefusal}
   */
  redeem(code: string, redirectUri: string | undefined): Consent {
    const known = this.codes.get(code);
    if (known === undefined) throw new GrantRefusal('invalid_grant', 'Invalid code.');
    if (redirectUri === undefined) throw new GrantRefusal('invalid_request', 'redirect_uri is required.');
    if (redirectUri !== known.redirectUri) {
      throw new GrantRefusal('invalid_grant', 'redirect_uri differs from the authorization request.');
    }
    if (known.used) throw new GrantRefusal('invalid_grant', 'Invalid code: this code has been revoked.');
    if (Date.now() - known.issuedAtMs > this.modes.current.codeLifetimeMs) {
      throw new GrantRefusal('invalid_grant', 'Invalid code: this code has expired.');
    }
    known.used = true;
    return known;
  }
}
