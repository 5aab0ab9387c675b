import { Inject, Injectable } from '@nestjs/common';
import { NotionOwnerRequiredError } from '../domain/errors.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './notion-auth.wiring.js';

/** The one place that asks the application whom a request acts for. */
@Injectable()
export class OwnerGate {
  constructor(@Inject(NOTION_AUTH_WIRING) private readonly wiring: NotionAuthWiring) {}

  /**
   * What `resolveOwner` throws passes through unchanged, but for what malformed percent-encoding makes it throw: a
   * header that cannot be decoded names nobody.
   * @throws {@link NotionOwnerRequiredError} when it names nobody, or anything but a string.
   */
  async ownerOf(request: unknown): Promise<string> {
    try {
      return requireOwner(await this.wiring.resolveOwner?.(request as never));
    } catch (error) {
      if (isUriError(error)) throw new NotionOwnerRequiredError();
      throw error;
    }
  }
}

function isUriError(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'URIError';
}

/** @throws {@link NotionOwnerRequiredError} for anything but a string that says something. */
export function requireOwner(owner: unknown): string {
  // An object or a number from untyped session code must never be read as "everybody" by a query.
  if (typeof owner !== 'string' || owner.trim() === '') throw new NotionOwnerRequiredError();
  return owner;
}
