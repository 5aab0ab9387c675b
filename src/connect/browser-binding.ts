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

const SECURE_NAME = '__Host-notion-auth';
/** Over plain HTTP, which the `__Host-` prefix excludes. */
const PLAIN_NAME = 'notion-auth';
type CookieName = typeof SECURE_NAME | typeof PLAIN_NAME;

/**
 * Ties a connect to the browser that started it, by one cookie that all its tabs share. `SameSite=Lax`, because
 * the callback is a navigation that another site starts.
 * @see RFC 9700 section 4.7
 */
@Injectable()
export class BrowserBinding {
  private readonly cookieNames: readonly CookieName[];

  constructor(@Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig) {
    const used = new Set(config.redirectUris.map(cookieNameFor));
    this.cookieNames = ([SECURE_NAME, PLAIN_NAME] as const).filter((name) => used.has(name));
  }

  /** Binds a connect to the browser that sent `cookieHeader`, under the secret it already has, if it has one. */
  bind(cookieHeader: string | undefined, redirectUri: string): BoundBrowser {
    const name = cookieNameFor(redirectUri);
    const secret = secretIn(cookieHeader, name) ?? newConnectSecret();
    return { browserHash: browserHashOf(name, secret), setCookie: this.cookieFor(name, secret) };
  }

  /** The hash that this browser's connects are bound to; `null` when it has no cookie of ours. */
  recognise(cookieHeader: string | undefined): string | null {
    for (const name of this.cookieNames) {
      const secret = secretIn(cookieHeader, name);
      if (secret !== null) return browserHashOf(name, secret);
    }
    return null;
  }

  private cookieFor(name: CookieName, secret: string): string {
    return serialize(name, secret, {
      httpOnly: true,
      sameSite: 'lax',
      secure: name === SECURE_NAME,
      path: '/',
      maxAge: Math.floor(this.config.connect.stateLifetimeMs / SECOND_MS),
    });
  }
}

function cookieNameFor(redirectUri: string): CookieName {
  return new URL(redirectUri).protocol === 'https:' ? SECURE_NAME : PLAIN_NAME;
}

function secretIn(cookieHeader: string | undefined, name: CookieName): string | null {
  if (cookieHeader === undefined || cookieHeader.length > MAX_COOKIE_HEADER_LENGTH) return null;
  const value = parse(cookieHeader)[name];
  return isConnectSecret(value) ? value : null;
}

/** Differs by name: a sibling host can plant the plain cookie, and must not take the place of the `__Host-` one with it. */
function browserHashOf(name: CookieName, secret: string): string {
  return hashConnectSecret(name === SECURE_NAME ? secret : `${name} ${secret}`);
}
