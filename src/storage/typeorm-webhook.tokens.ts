import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { Secret } from '../domain/secret.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { WebhookTokens, type WebhookTokensReading } from '../domain/webhook-tokens.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import { fromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { TokenSeals, webhookTokenContext } from './token-seals.js';
import { WebhookTokenEntity } from './webhook-token.entity.js';

/** Verification tokens of the configured client id. */
@Injectable()
export class TypeOrmWebhookTokens extends WebhookTokens {
  private readonly seals: TokenSeals;

  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    private readonly cipher: TokenCipher,
  ) {
    super();
    this.seals = new TokenSeals(cipher);
  }

  override async read(): Promise<WebhookTokensReading> {
    const { rows, openIds } = await this.database.read((session) => this.rowsOf(session));
    const tokens = rows.flatMap((row) => this.seals.unlessKeyIsLost(() => this.tokenOf(row)) ?? []);
    return { tokens, isOpen: openIds.length > 0 };
  }

  override async open(durationMs: number): Promise<Date> {
    const { clientId } = this.config;
    const id = randomUUID();
    const openUntil = await this.database.transaction(
      async (session) => {
        await this.close(session);
        const { manager, dialect } = session;
        await manager
          .createQueryBuilder()
          .insert()
          .into(WebhookTokenEntity)
          .values({
            id,
            clientId,
            sealedToken: null,
            keyId: null,
            openUntil: () => fromNow(dialect, durationMs),
          })
          .updateEntity(false)
          .callListeners(false)
          .execute();
        return (await manager.findOneByOrFail(WebhookTokenEntity, { id })).openUntil;
      },
      { confirm: harmlessTwice },
    );
    return new Date(openUntil);
  }

  override async keep(token: Secret): Promise<boolean> {
    const { openIds } = await this.database.read((session) => this.rowsOf(session));
    const [id] = openIds;
    return id === undefined ? false : this.fill(id, token);
  }

  override async retire(): Promise<number> {
    return this.database.transaction(
      async (session) => {
        await this.close(session);
        const { rows } = await this.rowsOf(session);
        const ids = rows.slice(1).map((row) => row.id);
        if (ids.length > 0) await session.manager.delete(WebhookTokenEntity, ids);
        return ids.length;
      },
      { confirm: harmlessTwice },
    );
  }

  /** One conditional statement: of two tokens that come for one window, one finds it empty. */
  private fill(id: string, token: Secret): Promise<boolean> {
    const { clientId } = this.config;
    const sealedToken = this.cipher.seal(token, webhookTokenContext({ id, clientId }));
    return this.database.transaction(async ({ manager, dialect }) => {
      const filled = await manager
        .createQueryBuilder()
        .update(WebhookTokenEntity)
        .set({ sealedToken, keyId: this.cipher.sealingKeyId, pairedAt: () => dialect.now })
        .where('id = :id AND client_id = :clientId', { id, clientId })
        .andWhere(`sealed_token IS NULL AND open_until > ${dialect.now}`)
        .updateEntity(false)
        .callListeners(false)
        .execute();
      return filled.affected === 1;
    });
  }

  private async rowsOf({
    manager,
    dialect,
  }: DatabaseSession): Promise<{ rows: WebhookTokenEntity[]; openIds: string[] }> {
    const { entities, raw } = await manager
      .createQueryBuilder(WebhookTokenEntity, 't')
      .addSelect('t.sealedToken')
      .addSelect(`CASE WHEN t.pairedAt IS NULL AND t.openUntil > ${dialect.now} THEN 1 ELSE 0 END`, 'is_open')
      .where('t.clientId = :clientId', { clientId: this.config.clientId })
      .orderBy('t.pairedAt', 'DESC')
      .addOrderBy('t.id')
      .getRawAndEntities<{ is_open: string | number }>();
    return {
      rows: entities.filter(({ pairedAt }) => pairedAt !== null),
      openIds: entities.filter((_, index) => Number(raw[index]?.is_open) === 1).map(({ id }) => id),
    };
  }

  private tokenOf({ id, clientId, sealedToken }: WebhookTokenEntity): Secret | null {
    return sealedToken === null ? null : this.cipher.open(sealedToken, webhookTokenContext({ id, clientId }));
  }

  /** Whatever was opened and never used goes. */
  private async close({ manager }: DatabaseSession): Promise<void> {
    await manager
      .createQueryBuilder()
      .delete()
      .from(WebhookTokenEntity)
      .where('client_id = :clientId AND paired_at IS NULL', { clientId: this.config.clientId })
      .callListeners(false)
      .execute();
  }
}
