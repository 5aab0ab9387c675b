import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  RevocationOutbox,
  type ClaimedRevocations,
  type PendingRevocation,
  type RevocationLimits,
} from '../domain/revocation-outbox.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import { NotionDatabase } from './notion-database.js';
import { PROCESS_NAME } from './process-identity.js';
import {
  claimDueRevocations,
  postponeRevocation,
  removeRevocation,
  renewRevocationClaim,
} from './revocations.js';
import type { StoreSession } from './store-session.js';
import { TokenSeals } from './token-seals.js';

/** Revocations of the configured client id. */
@Injectable()
export class TypeOrmRevocationOutbox extends RevocationOutbox {
  private readonly seals: TokenSeals;

  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    cipher: TokenCipher,
  ) {
    super();
    this.seals = new TokenSeals(cipher);
  }

  override claimDue(limit: number, limits: RevocationLimits): Promise<ClaimedRevocations> {
    // A claim whose commit was not confirmed is not repeated: it is due again when its lease is over.
    return this.database.transaction((session) => claimDueRevocations(this.confined(session), limit, limits));
  }

  override renewClaim(revocation: PendingRevocation): Promise<boolean> {
    return this.write((session) => renewRevocationClaim(session, revocation));
  }

  override remove(id: string): Promise<void> {
    return this.write((session) => removeRevocation(session, id));
  }

  override postpone(revocation: PendingRevocation, retryInMs: number): Promise<void> {
    return this.write((session) => postponeRevocation(session, revocation, retryInMs));
  }

  private write<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    return this.database.transaction((session) => work(this.confined(session)), { confirm: harmlessTwice });
  }

  private confined(session: DatabaseSession): StoreSession {
    return { ...session, clientId: this.config.clientId, seals: this.seals, processName: PROCESS_NAME };
  }
}
