import { Inject, Injectable } from '@nestjs/common';
import { parse, serialize } from 'cookie';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { SECOND_MS } from '../domain/duration.js';
import { hashConnectSecret, isConnectSecret, newConnectSecret } from './connect-secret.js';

/** Several times what browsers keep for one site. A longer header is nobody's who could be recognised by it. */
const MAX_COOKIE_HEADER_LENGTH = 32 * 1024;

export interface BoundBrowser {
  readonly browserHash: string;
  /** Value of the `Set-Cookie` header. */
  readonly setCookie: string;
}

/**
 * Ties a connect to the browser that started it, by one cookie that all its tabs share. `SameSite=Lax`, because
 * the callback is a navigation that another site starts.
 * @see RFC 9700 section 4.7
 */
@Injectable()
export class BrowserBinding {
  private readonly secure: boolean;
  private readonly cookieName: string;

  constructor(@Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig) {
    this.secure = new URL(config.redirectUris[0]).protocol === 'https:';
    this.cookieName = this.secure ? '__Host-notion-auth' : 'notion-auth';
  }

  /** Binds a connect to the browser that sent `cookieHeader`, under the secret it already has, if it has one. */
  bind(cookieHeader: string | undefined): BoundBrowser {
    const secret = this.secretIn(cookieHeader) ?? newConnectSecret();
    return { browserHash: hashConnectSecret(secret), setCookie: this.cookieFor(secret) };
  }

  /** The hash that this browser's connects are bound to; `null` when it has no cookie of ours. */
  recognise(cookieHeader: string | undefined): string | null {
    const secret = this.secretIn(cookieHeader);
    return secret === null ? null : hashConnectSecret(secret);
  }

  private secretIn(cookieHeader: string | undefined): string | null {
    if (cookieHeader === undefined || cookieHeader.length > MAX_COOKIE_HEADER_LENGTH) return null;
    const value = parse(cookieHeader)[this.cookieName];
    return isConnectSecret(value) ? value : null;
  }

  private cookieFor(secret: string): string {
    return serialize(this.cookieName, secret, {
      httpOnly: true,
      sameSite: 'lax',
      secure: this.secure,
      path: '/',
      maxAge: Math.floor(this.config.connect.stateLifetimeMs / SECOND_MS),
    });
  }
}
