import { Inject, Injectable } from '@nestjs/common';
import { NotionOwnerInvalidError, NotionOwnerRequiredError } from '../domain/errors.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './notion-auth.wiring.js';

/** The one place that asks the application whom a request acts for. */
@Injectable()
export class OwnerGate {
  constructor(@Inject(NOTION_AUTH_WIRING) private readonly wiring: NotionAuthWiring) {}

  /**
   * What `resolveOwner` throws passes through unchanged, but for what malformed percent-encoding makes it throw: a
   * header that cannot be decoded names nobody.
   * @throws {@link NotionOwnerRequiredError} when it names nobody; {@link NotionOwnerInvalidError} when it returns
   * anything but a string.
   */
  async ownerOf(request: unknown): Promise<string> {
    try {
      return requireOwner(await this.wiring.resolveOwner?.(request as never), 'resolveOwner');
    } catch (error) {
      if (isUriError(error)) throw new NotionOwnerRequiredError();
      throw error;
    }
  }
}

function isUriError(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'URIError';
}

/**
 * @param source - Where `owner` comes from, for the message.
 * @throws {@link NotionOwnerRequiredError} for nothing and for a blank string; {@link NotionOwnerInvalidError} for any
 * other type: a number or an object must never reach a query.
 */
export function requireOwner(owner: unknown, source: 'resolveOwner' | 'ownerId' = 'ownerId'): string {
  if (owner === null || owner === undefined) throw new NotionOwnerRequiredError();
  if (typeof owner !== 'string') throw new NotionOwnerInvalidError(source, owner);
  if (owner.trim() === '') throw new NotionOwnerRequiredError();
  return owner;
}
