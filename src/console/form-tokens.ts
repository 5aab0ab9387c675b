import { Inject, Injectable } from '@nestjs/common';
import { parse, serialize } from 'cookie';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { isConnectSecret, newConnectSecret } from '../connect/connect-secret.js';
import { Secret } from '../domain/secret.js';
import { TokenCipher } from '../domain/token-cipher.js';

const MAX_COOKIE_HEADER_LENGTH = 32 * 1024;

export interface OpenedForm {
  /** Goes into every form of the page. */
  readonly token: string;
  /** Value of a `Set-Cookie` header, for a browser that has no cookie of ours. */
  readonly setCookie?: string;
}

/**
 * Lets a form through only from the browser that its page was made for: the page carries a keyed hash of a cookie that
 * no other site can set or read. The key is derived from the key ring, so any replica takes the form of any other, and
 * nothing is kept.
 */
@Injectable()
export class FormTokens {
  private readonly secure: boolean;
  private readonly cookieName: string;

  constructor(
    @Inject(NOTION_AUTH_CONFIG) config: Pick<NotionAuthConfig, 'redirectUris'>,
    private readonly cipher: TokenCipher,
  ) {
    this.secure = new URL(config.redirectUris[0]).protocol === 'https:';
    this.cookieName = this.secure ? '__Host-notion-console' : 'notion-console';
  }

  open(cookieHeader: string | undefined): OpenedForm {
    const known = this.secretIn(cookieHeader);
    const secret = known ?? newConnectSecret();
    const token = this.cipher.fingerprint(asForm(secret));
    return known === null ? { token, setCookie: this.cookieFor(secret) } : { token };
  }

  accepts(cookieHeader: string | undefined, token: string | undefined): boolean {
    const secret = this.secretIn(cookieHeader);
    return secret !== null && token !== undefined && this.cipher.recognises(asForm(secret), token);
  }

  private secretIn(cookieHeader: string | undefined): string | null {
    if (cookieHeader === undefined || cookieHeader.length > MAX_COOKIE_HEADER_LENGTH) return null;
    const value = parse(cookieHeader)[this.cookieName];
    return isConnectSecret(value) ? value : null;
  }

  /** Until the browser is closed. Strict: nobody comes to the console's forms from another site. */
  private cookieFor(secret: string): string {
    return serialize(this.cookieName, secret, {
      httpOnly: true,
      sameSite: 'strict',
      secure: this.secure,
      path: '/',
    });
  }
}

/** What else the ring makes hashes of never looks like this. */
function asForm(secret: string): Secret {
  return new Secret(`notion console form ${secret}`);
}
