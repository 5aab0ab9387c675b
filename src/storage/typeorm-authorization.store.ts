import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
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
  type HeldBackRejection,
  type MassRevocationTending,
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
import { claimRow, type AttemptDraft } from './claim.js';
import { connectGrant } from './connect.js';
import { isConnectionLoss } from './database-errors.js';
import { harmlessTwice, type DatabaseSession, type TransactionOptions } from './database-sessions.js';
import { disconnectOwner } from './disconnect.js';
import { eraseRejectedAccessToken } from './erase-rejected-access-token.js';
import { GroupCommit } from './group-commit.js';
import { requireOwnerId } from './identifiers.js';
import { markWithoutRefreshToken } from './mark-without-refresh-token.js';
import {
  concludeRejection,
  hasMassRevocationWork,
  NOTHING_TO_TEND,
  tendMassRevocation,
} from './mass-revocation.breaker.js';
import { NotionDatabase } from './notion-database.js';
import { PROCESS_NAME } from './process-identity.js';
import { openGates } from './refresh-gates.js';
import { releaseDeadProcesses } from './release-dead.js';
import { rollForwardRow, rollForwardRows } from './roll-forward.js';
import { settleClaim } from './settle.js';
import { storePairOf } from './store-pair.js';
import { storePairsOf, type PairToStore } from './store-pairs.js';
import type { StoreSession } from './store-session.js';
import { TokenSeals } from './token-seals.js';
import { confirmClaims, confirmConnect, confirmDisconnect, confirmSettlement } from './unconfirmed.js';

const IDS_PER_QUERY = 500;
const UNCONFIRMED_KEPT = 1_000;

interface WriteOptions<T> extends Omit<TransactionOptions<T>, 'confirm'> {
  readonly confirm: (session: StoreSession, unconfirmed: T) => Promise<T | undefined>;
}

/** For writes that recognise what an earlier try of theirs has left. */
const DURABLE = { durable: true, confirm: harmlessTwice };

/** Authorizations of the configured client id, on any engine that {@link NotionDatabase} takes. */
@Injectable()
export class TypeOrmAuthorizationStore extends AuthorizationStore {
  private readonly seals: TokenSeals;
  /** Claims that may stand on their rows although we do not know: the next one for the same row is told. */
  private readonly unconfirmed = new LRUCache<AuthorizationId, AttemptDraft>({ max: UNCONFIRMED_KEPT });
  private readonly pairs = new GroupCommit<PairToStore, StoreVerdict>(
    ({ claim, pair, ending }) => this.write((session) => storePairOf(session, claim, pair, ending), DURABLE),
    (group) => this.write((session) => storePairsOf(session, group), DURABLE),
  );

  private readonly rolls = new GroupCommit<RetainedChange, RollForwardVerdict>(
    (retained) => this.write((session) => rollForwardRow(session, retained), DURABLE),
    (group) => this.write((session) => rollForwardRows(session, group), DURABLE),
  );

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

  override async claim(request: ClaimRequest): Promise<ClaimResult> {
    const id = request.authorizationId;
    const draft = this.takeUnconfirmed(id) ?? { attemptId: randomUUID(), probing: null };
    try {
      return await this.write((session) => claimRow(session, request, draft), {
        durable: true,
        confirm: harmlessTwice,
      });
    } catch (error) {
      if (isConnectionLoss(error)) this.unconfirmed.set(id, draft);
      throw error;
    }
  }

  override async claimDue(query: ClaimDueQuery): Promise<readonly Claim[]> {
    let drafted: readonly Claim[] = [];
    try {
      return await this.write(async (session) => (drafted = await claimDueRows(session, query)), {
        durable: true,
        confirm: (session, claims) => confirmClaims(session, claims),
      });
    } catch (error) {
      if (isConnectionLoss(error)) {
        for (const { authorizationId, attemptId, probing } of drafted) {
          this.unconfirmed.set(authorizationId, { attemptId, probing });
        }
      }
      throw error;
    }
  }

  override settle(claim: Claim, settlement: Settlement, ending: AttemptEnding): Promise<SettleVerdict> {
    return this.write((session) => settleClaim(session, claim, settlement, ending), {
      repeatOnUniqueViolation: true,
      confirm: (session, verdict) => confirmSettlement(session, claim, ending, verdict),
    });
  }

  override storePair(claim: Claim, pair: TokenPair, ending: AttemptEnding): Promise<StoreVerdict> {
    return this.pairs.run({ claim, pair, ending });
  }

  override markWithoutRefreshToken(id: AuthorizationId, version: number): Promise<boolean> {
    return this.write((session) => markWithoutRefreshToken(session, id, version), { confirm: harmlessTwice });
  }

  override eraseRejectedAccessToken(id: AuthorizationId, version: number): Promise<boolean> {
    return this.write((session) => eraseRejectedAccessToken(session, id, version), {
      confirm: harmlessTwice,
    });
  }

  override async connect(connection: NewConnection): Promise<ConnectResult> {
    requireOwnerId(connection.ownerId);
    if (connection.clientId !== this.config.clientId) {
      throw new TypeError('A connection of another Notion client cannot be kept here.');
    }
    return this.write((session) => connectGrant(session, connection), {
      durable: true,
      repeatOnUniqueViolation: true,
      confirm: (session, result) => confirmConnect(session, connection, result),
    });
  }

  override async disconnect(id: AuthorizationId, ownerId: string): Promise<DisconnectResult> {
    const owner = requireOwnerId(ownerId);
    return this.write((session) => disconnectOwner(session, id, owner), {
      durable: true,
      confirm: (session, result) => confirmDisconnect(session, id, owner, result),
    });
  }

  override async tendMassRevocation(limit: number): Promise<MassRevocationTending> {
    if (!(await this.read(hasMassRevocationWork))) return NOTHING_TO_TEND;
    return this.write((session) => tendMassRevocation(session, limit), { confirm: harmlessTwice });
  }

  override concludeRejection(held: HeldBackRejection, isActive: boolean): Promise<boolean> {
    return this.write((session) => concludeRejection(session, held, isActive), { confirm: harmlessTwice });
  }

  override closeMassRevocation(): Promise<void> {
    return this.write((session) => openGates(session, ['mass_dead']), { confirm: harmlessTwice });
  }

  override rollForward(retained: RetainedChange): Promise<RollForwardVerdict> {
    return this.rolls.run(retained);
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
    return this.write((session) => releaseDeadProcesses(session), { confirm: harmlessTwice });
  }

  private read<T>(work: (session: StoreSession) => Promise<T>): Promise<T> {
    return this.database.read((session) => work(this.confined(session)));
  }

  private write<T>(
    work: (session: StoreSession) => Promise<T>,
    { confirm, ...options }: WriteOptions<T>,
  ): Promise<T> {
    return this.database.transaction((session) => work(this.confined(session)), {
      ...options,
      confirm: (session, unconfirmed) => confirm(this.confined(session), unconfirmed),
    });
  }

  private takeUnconfirmed(id: AuthorizationId): AttemptDraft | undefined {
    const draft = this.unconfirmed.get(id);
    this.unconfirmed.delete(id);
    return draft;
  }

  private confined(session: DatabaseSession): StoreSession {
    const { clientId } = this.config;
    return { ...session, clientId, seals: this.seals, processName: PROCESS_NAME };
  }
}
