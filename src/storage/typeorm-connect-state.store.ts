import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  ConnectStateStore,
  type ConnectOutcome,
  type ConnectStateKeys,
  type ConsumeResult,
  type PendingConnect,
} from '../domain/connect-state-store.js';
import type { DatabaseSession } from './database-sessions.js';
import { fromNow } from './database-time.js';
import { requireOwnerId } from './identifiers.js';
import { NotionDatabase } from './notion-database.js';
import { OAuthStateEntity } from './oauth-state.entity.js';

/** Rows in one statement of the sweep. */
const PRUNED_AT_ONCE = 500;

/** What a look at a state finds, before anything is done about it. */
type Found =
  | { readonly kind: 'pending'; readonly pending: PendingConnect; readonly atMs: number }
  | Exclude<ConsumeResult, { kind: 'consumed' }>;

/** Pending connects of the configured client id. */
@Injectable()
export class TypeOrmConnectStateStore extends ConnectStateStore {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async issue(
    keys: ConnectStateKeys,
    pending: PendingConnect,
    limits: { readonly lifetimeMs: number; readonly maxPerOwner: number },
  ): Promise<void> {
    requireOwnerId(pending.ownerId);
    await this.database.transaction(async (session) => {
      await this.waitForTurn(session, pending.ownerId);
      await this.makeRoom(session, pending.ownerId, limits.maxPerOwner - 1);
      await this.insert(session, keys, pending, limits.lifetimeMs);
    });
    const { locksRows, waitForTurn } = this.database.dialect;
    if (!locksRows || waitForTurn !== null) return;
    // Those that began in the same instant did not see each other; the last of them to get here sees them all.
    await this.database.transaction((session) => this.makeRoom(session, pending.ownerId, limits.maxPerOwner));
  }

  /** Looks before it writes: whoever guesses costs one lookup, takes no lock and writes nothing. */
  override async consume(keys: ConnectStateKeys): Promise<ConsumeResult> {
    const found = await this.find(keys);
    // Only whoever has a state can meet an old one, so that this is no write for everybody who guesses.
    if (found.kind === 'expired') await this.remove([keys.stateHash]);
    if (found.kind !== 'pending') return found;
    // Of all that found it pending, this one atomic statement lets one go on.
    if (await this.use(keys)) return { ...found, kind: 'consumed' };
    const lost = await this.find(keys);
    return lost.kind === 'pending' ? { kind: 'used' } : lost;
  }

  override async settle(stateHash: string, outcome: ConnectOutcome): Promise<void> {
    await this.database.transaction(({ manager }) =>
      manager
        .createQueryBuilder()
        .update(OAuthStateEntity)
        .set({ outcome })
        .where('state_hash = :stateHash AND client_id = :clientId', {
          stateHash,
          clientId: this.config.clientId,
        })
        .andWhere('used_at IS NOT NULL')
        .updateEntity(false)
        .callListeners(false)
        .execute(),
    );
  }

  override async prune(): Promise<number> {
    let removed = 0;
    let expired: readonly string[];
    do {
      expired = await this.findExpired();
      removed += await this.remove(expired);
    } while (expired.length === PRUNED_AT_ONCE);
    return removed;
  }

  /** The oldest first and not all at once: so they are read from the index, whatever the planner thinks of it. */
  private async findExpired(): Promise<string[]> {
    const rows = await this.database.read(({ manager, dialect }) =>
      manager
        .createQueryBuilder(OAuthStateEntity, 's')
        .select(['s.stateHash', 's.expiresAt'])
        .where(`s.expiresAt <= ${dialect.statementNow}`)
        .orderBy('s.expiresAt')
        .limit(PRUNED_AT_ONCE)
        .getMany(),
    );
    return rows.map((row) => row.stateHash);
  }

  private remove(stateHashes: readonly string[]): Promise<number> {
    if (stateHashes.length === 0) return Promise.resolve(0);
    return this.database.transaction((session) => remove(session, stateHashes));
  }

  private async insert(
    { manager, dialect }: DatabaseSession,
    { stateHash, browserHash }: ConnectStateKeys,
    { ownerId, clientId, redirectUri, returnTo, reconnect }: PendingConnect,
    lifetimeMs: number,
  ): Promise<void> {
    await manager
      .createQueryBuilder()
      .insert()
      .into(OAuthStateEntity)
      .values({
        stateHash,
        browserHash,
        ownerId,
        clientId,
        redirectUri,
        returnTo,
        reconnectId: reconnect,
        createdAt: () => dialect.now,
        expiresAt: () => fromNow(dialect, lifetimeMs),
        usedAt: null,
        outcome: null,
      })
      .updateEntity(false)
      .callListeners(false)
      .execute();
  }

  /** Two connects of one owner at once would not see each other's rows, and together go beyond the limit. */
  private async waitForTurn({ manager, dialect }: DatabaseSession, ownerId: string): Promise<void> {
    if (dialect.waitForTurn === null) return;
    await manager.query(dialect.waitForTurn, [`notion_oauth_state ${this.config.clientId} ${ownerId}`]);
  }

  /** Of the owner's connects the newest `kept` stay, and an unused one rather than a used one. */
  private async makeRoom(session: DatabaseSession, ownerId: string, kept: number): Promise<void> {
    const theirs = session.manager
      .createQueryBuilder(OAuthStateEntity, 's')
      .select(['s.stateHash', 's.createdAt'])
      .addSelect('CASE WHEN s.usedAt IS NULL THEN 0 ELSE 1 END', 'used_rank')
      .where('s.clientId = :clientId AND s.ownerId = :ownerId', { clientId: this.config.clientId, ownerId })
      .orderBy('used_rank')
      .addOrderBy('s.createdAt', 'DESC');
    const dropped = (await theirs.getMany()).slice(kept).map((row) => row.stateHash);
    if (dropped.length > 0) await remove(session, dropped);
  }

  private async use({ stateHash, browserHash }: ConnectStateKeys): Promise<boolean> {
    return this.database.transaction(async ({ manager, dialect }) => {
      const used = await manager
        .createQueryBuilder()
        .update(OAuthStateEntity)
        .set({ usedAt: () => dialect.now })
        .where('state_hash = :stateHash AND browser_hash = :browserHash', { stateHash, browserHash })
        .andWhere('client_id = :clientId', { clientId: this.config.clientId })
        .andWhere(`used_at IS NULL AND expires_at > ${dialect.now}`)
        .updateEntity(false)
        .callListeners(false)
        .execute();
      return used.affected === 1;
    });
  }

  private async find({ stateHash, browserHash }: ConnectStateKeys): Promise<Found> {
    const { entities, raw } = await this.database.read(({ manager, dialect }) =>
      manager
        .createQueryBuilder(OAuthStateEntity, 's')
        .addSelect(`CASE WHEN s.expiresAt <= ${dialect.now} THEN 1 ELSE 0 END`, 'is_expired')
        .addSelect(dialect.now, 'now_ms')
        .where('s.stateHash = :stateHash AND s.clientId = :clientId', {
          stateHash,
          clientId: this.config.clientId,
        })
        .getRawAndEntities<Record<'is_expired' | 'now_ms', string | number>>(),
    );
    const row = entities[0];
    if (row === undefined) return { kind: 'unknown' };
    if (Number(raw[0]?.is_expired) === 1) return { kind: 'expired' };
    if (row.browserHash !== browserHash) return { kind: 'wrong_browser' };
    const nowMs = Number(raw[0]?.now_ms);
    if (row.usedAt === null) return { kind: 'pending', pending: toPending(row), atMs: nowMs };
    if (row.outcome === null) return { kind: 'in_progress', usedForMs: nowMs - row.usedAt };
    return row.outcome === 'completed' ? { kind: 'completed', pending: toPending(row) } : { kind: 'used' };
  }
}

async function remove({ manager }: DatabaseSession, stateHashes: readonly string[]): Promise<number> {
  const removed = await manager
    .createQueryBuilder()
    .delete()
    .from(OAuthStateEntity)
    .where('state_hash IN (:...stateHashes)', { stateHashes })
    .callListeners(false)
    .execute();
  return removed.affected ?? 0;
}

function toPending({
  ownerId,
  clientId,
  redirectUri,
  returnTo,
  reconnectId,
}: OAuthStateEntity): PendingConnect {
  return { ownerId, clientId, redirectUri, returnTo, reconnect: reconnectId };
}
