import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  ConnectStateStore,
  type ConnectStateKeys,
  type ConsumeResult,
  type PendingConnect,
} from '../domain/connect-state-store.js';
import type { DatabaseSession } from './database-sessions.js';
import { fromNow } from './database-time.js';
import { requireOwnerId } from './identifiers.js';
import { NotionDatabase } from './notion-database.js';
import { OAuthStateEntity } from './oauth-state.entity.js';

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
      await this.insert(session, keys, pending, limits.lifetimeMs);
      await this.dropBeyond(session, keys, pending.ownerId, limits.maxPerOwner);
    });
  }

  override consume({ stateHash, browserHash }: ConnectStateKeys): Promise<ConsumeResult> {
    return this.database.transaction(async (session) => {
      const { manager, dialect } = session;
      // One atomic statement decides; whatever is read after it only explains.
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
      const row = await this.find(session, stateHash);
      if (row === null) return { kind: 'unknown' };
      return used.affected === 1 ? { kind: 'consumed', pending: toPending(row) } : refusal(row, browserHash);
    });
  }

  override prune(): Promise<number> {
    return this.database.transaction(async ({ manager, dialect }) => {
      const expired = manager.createQueryBuilder().delete().from(OAuthStateEntity);
      const removed = await expired.where(`expires_at <= ${dialect.now}`).callListeners(false).execute();
      return removed.affected ?? 0;
    });
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
      })
      .updateEntity(false)
      .callListeners(false)
      .execute();
  }

  /** The new one always stays; of the others the newest do, and an unused one before a used one. */
  private async dropBeyond(
    { manager }: DatabaseSession,
    { stateHash }: ConnectStateKeys,
    ownerId: string,
    maxPerOwner: number,
  ): Promise<void> {
    const surplus = await manager
      .createQueryBuilder(OAuthStateEntity, 's')
      .select(['s.stateHash', 's.createdAt'])
      .addSelect('CASE WHEN s.usedAt IS NULL THEN 0 ELSE 1 END', 'used_rank')
      .where('s.clientId = :clientId AND s.ownerId = :ownerId', { clientId: this.config.clientId, ownerId })
      .andWhere('s.stateHash <> :stateHash', { stateHash })
      .orderBy('used_rank')
      .addOrderBy('s.createdAt', 'DESC')
      .getMany();
    const dropped = surplus.slice(Math.max(0, maxPerOwner - 1)).map((row) => row.stateHash);
    if (dropped.length === 0) return;
    await manager
      .createQueryBuilder()
      .delete()
      .from(OAuthStateEntity)
      .where('state_hash IN (:...dropped)', { dropped })
      .callListeners(false)
      .execute();
  }

  private async find(
    { manager, dialect }: DatabaseSession,
    stateHash: string,
  ): Promise<(OAuthStateEntity & { isExpired: boolean }) | null> {
    const { entities, raw } = await manager
      .createQueryBuilder(OAuthStateEntity, 's')
      .addSelect(`CASE WHEN s.expiresAt <= ${dialect.now} THEN 1 ELSE 0 END`, 'is_expired')
      .where('s.stateHash = :stateHash AND s.clientId = :clientId', {
        stateHash,
        clientId: this.config.clientId,
      })
      .getRawAndEntities<{ is_expired: string | number }>();
    const row = entities[0];
    return row === undefined ? null : Object.assign(row, { isExpired: Number(raw[0]?.is_expired) === 1 });
  }
}

function refusal(row: OAuthStateEntity & { isExpired: boolean }, browserHash: string): ConsumeResult {
  if (row.isExpired) return { kind: 'expired' };
  if (row.browserHash !== browserHash) return { kind: 'wrong_browser' };
  return { kind: 'used' };
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
