import { timingSafeEqual, createHash } from 'node:crypto';

const MASK = '[secret]';

/**
 * A value that must never be printed: every way to turn it into text by accident (`String()`, template
 * strings, `JSON.stringify`, `util.inspect`, `console.log`) yields a mask. Only {@link Secret.reveal}, which
 * is easy to search for, gives the value itself.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value in clear. Call it where the bytes leave the process, and nowhere else. */
  reveal(): string {
    return this.#value;
  }

  /** Compares in constant time, whatever the lengths. */
  equals(other: Secret): boolean {
    return timingSafeEqual(digest(this.#value), digest(other.#value));
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [Symbol.toPrimitive](): string {
    return MASK;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}

/** What an access token is for, by Notion's own ids. */
export interface TokenGrant {
  readonly botId: string;
  readonly workspaceId: string;
}

/**
 * An access token together with the version of the pair it belongs to. Handing it back as
 * `getAccessToken(id, { rejected: token })` asks for one of a later version.
 */
export class AccessToken extends Secret {
  constructor(
    value: string,
    readonly authorizationId: string,
    readonly version: number,
    /** Whether this process renewed it; otherwise it was read, and may have been renewed again since. */
    readonly isRenewedHere = false,
    readonly grant: TokenGrant | null = null,
  ) {
    super(value);
  }
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value, 'utf8').digest();
}
