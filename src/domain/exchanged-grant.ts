import type { NewConnection } from './authorization-store.js';

/**
 * What a code was exchanged for, until the database has it. Which authorization it belongs to is known only when the
 * database is asked, so it has an id of its own.
 */
export interface ExchangedGrant {
  readonly kind: 'exchange';
  /** UUID of this exchange. */
  readonly exchangeId: string;
  readonly connection: NewConnection & { readonly exchangedAtMs: number };
}
