import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  AuthorizationStore,
  type AttemptEnding,
  type Claim,
  type ClaimDueQuery,
  type ClaimRequest,
  type ClaimResult,
  type ConnectResult,
  type DisconnectResult,
  type NewConnection,
  type RollForwardVerdict,
  type Settlement,
  type SettleVerdict,
  type StoredAccessToken,
  type StoreVerdict,
  type VersionedAuthorization,
} from '../domain/authorization-store.js';
import type { Authorization, AuthorizationId, TokenPair } from '../domain/authorization.js';
import type { RetainedChange } from '../domain/retained-change.js';
import { TokenCipher } from '../domain/token-cipher.js';
import * as queries from './authorization-queries.js';
import { claimDueRows } from './claim-due.js';
import { claimRow } from './claim.js';
import { connectGrant } from './connect.js';
import type { DatabaseSession, TransactionOptions } from './database-sessions.js';
import { disconnectOwner } from './disconnect.js';
import { requireOwnerId } from './identifiers.js';
import { markWithoutRefreshToken } from './mark-without-refresh-token.js';
import { NotionDatabase } from './notion-database.js';
import { PROCESS_NAME } from './process-identity.js';
import { releaseDeadProcesses } from './release-dead.js';
import { rollForwardRow } from './roll-forward.js';
import { settleClaim } from './settle.js';
import { storePairOf } from './store-pair.js';
import type { StoreSession } from './store-session.js';
import { TokenSeals } from './token-seals.js';

const IDS_PER_QUERY = 500;

/** Authorizations of the configured client id, on any engine that {@link NotionDatabase} takes. */
@Injectable()
export class TypeOrmAuthorizationStore extends AuthorizationStore {
  private readonly seals: TokenSeals;

  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    cipher: TokenCipher,
  ) {
    super();
    this.seals = new TokenSeals(cipher);
  }

  override find(id: AuthorizationId): Promise<Authorization | null> {
    return this.read((session) => queries.findAuthorization(session, id));
  }

  override async findForOwner(id: AuthorizationId, ownerId: string): Promise<Authorization | null> {
    const owner = requireOwnerId(ownerId);
    return this.read((session) => queries.findForOwner(session, id, owner));
  }

  override async listForOwner(ownerId: string): Promise<readonly Authorization[]> {
    const owner = requireOwnerId(ownerId);
    return this.read((session) => queries.listForOwner(session, owner));
  }

  override readAccessToken(id: AuthorizationId): Promise<StoredAccessToken | null> {
    return this.read((session) => queries.readAccessToken(session, id));
  }

  override claim(request: ClaimRequest): Promise<ClaimResult> {
    return this.write((session) => claimRow(session, request, { attemptId: randomUUID(), probing: null }));
  }

  override claimDue(query: ClaimDueQuery): Promise<readonly Claim[]> {
    return this.write((session) => claimDueRows(session, query));
  }

  override settle(claim: Claim, settlement: Settlement, ending: AttemptEnding): Promise<SettleVerdict> {
    return this.write((session) => settleClaim(session, claim, settlement, ending), {
      repeatOnUniqueViolation: true,
    });
  }

  override storePair(claim: Claim, pair: TokenPair, ending: AttemptEnding): Promise<StoreVerdict> {
    return this.write((session) => storePairOf(session, claim, pair, ending), { durable: true });
  }

  override markWithoutRefreshToken(id: AuthorizationId, version: number): Promise<boolean> {
    return this.write((session) => markWithoutRefreshToken(session, id, version));
  }

  override async connect(connection: NewConnection): Promise<ConnectResult> {
    requireOwnerId(connection.ownerId);
    if (connection.clientId !== this.config.clientId) {
      throw new TypeError('A connection of another Notion client cannot be kept here.');
    }
    return this.write((session) => connectGrant(session, connection), {
      durable: true,
      repeatOnUniqueViolation: true,
    });
  }

  override async disconnect(id: AuthorizationId, ownerId: string): Promise<DisconnectResult> {
    const owner = requireOwnerId(ownerId);
    return this.write((session) => disconnectOwner(session, id, owner), { durable: true });
  }

  override async rollForward(retained: RetainedChange): Promise<RollForwardVerdict> {
    return this.write((session) => rollForwardRow(session, retained), { durable: true });
  }

  override async readVersions(
    ids: readonly AuthorizationId[],
  ): Promise<ReadonlyMap<AuthorizationId, number>> {
    const versions = new Map<AuthorizationId, number>();
    for (let start = 0; start < ids.length; start += IDS_PER_QUERY) {
      const batch = ids.slice(start, start + IDS_PER_QUERY);
      const found = await this.read((session) => queries.readVersions(session, batch));
      for (const { id, version } of found) versions.set(id, version);
    }
    return versions;
  }

  override listUnresolved(limit: number): Promise<readonly VersionedAuthorization[]> {
    return this.read((session) => queries.listUnresolved(session, limit));
  }

  override releaseDeadProcesses(): Promise<number> {
    return this.write((session) => releaseDeadProcesses(session));
  }

  private read<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    return this.database.read((session) => work(this.confined(session)));
  }

  private write<T>(work: (session: StoreSession) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.database.transaction((session) => work(this.confined(session)), options);
  }

  private confined(session: DatabaseSession): StoreSession {
    const { clientId } = this.config;
    return { ...session, clientId, seals: this.seals, processName: PROCESS_NAME };
  }
}
