import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parse } from 'cookie';
import type { Request, Response } from 'express';

const COOKIE = 'quickstart_session';
const LIFETIME_MS = 30 * 24 * 3_600_000;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * Who the browser is. A real application has its sign-in for this; here a random cookie makes each browser a
 * person of its own, and everything else is derived from it, so the server keeps no session and survives a restart.
 */
export class Session {
  /** What the library knows this browser by; the cookie cannot be computed from it. */
  readonly ownerId: string;
  /** Goes into every form, so that no other site can post in this browser's name. */
  readonly formToken: string;

  private constructor(secret: string) {
    this.ownerId = `browser-${derive(secret, 'owner').slice(0, 24)}`;
    this.formToken = derive(secret, 'forms');
  }

  /** The session of the browser that sent `request`; `null` when it has none yet. */
  static of(request: Request): Session | null {
    const secret = parse(request.headers.cookie ?? '')[COOKIE];
    return secret !== undefined && SECRET.test(secret) ? new Session(secret) : null;
  }

  static start(response: Response, options: { readonly secure: boolean }): Session {
    const secret = randomBytes(32).toString('base64url');
    response.cookie(COOKIE, secret, {
      httpOnly: true,
      // Lax, not Strict: the way back from Notion is a navigation that another site starts.
      sameSite: 'lax',
      secure: options.secure,
      maxAge: LIFETIME_MS,
    });
    return new Session(secret);
  }

  accepts(formToken: unknown): boolean {
    if (typeof formToken !== 'string') return false;
    const given = Buffer.from(formToken);
    const expected = Buffer.from(this.formToken);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

function derive(secret: string, purpose: string): string {
  return createHmac('sha256', secret).update(purpose).digest('base64url');
}
