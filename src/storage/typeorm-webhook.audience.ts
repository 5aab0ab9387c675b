import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationStatus } from '../domain/authorization.js';
import { WebhookAudience, type LinkedAuthorization } from '../domain/webhook-audience.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { NotionDatabase } from './notion-database.js';

interface LinkRow {
  readonly id: string;
  readonly bot_id: string;
  readonly status: AuthorizationStatus;
  readonly owner_id: string;
}

/** Authorizations of the configured client id. */
@Injectable()
export class TypeOrmWebhookAudience extends WebhookAudience {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async linkedTo(
    workspaceId: string,
    botIds: readonly string[],
  ): Promise<readonly LinkedAuthorization[]> {
    if (botIds.length === 0) return [];
    const rows = await this.database.read(({ manager }) =>
      manager
        .createQueryBuilder(AuthorizationEntity, 'a')
        .innerJoin(AuthorizationOwnerEntity, 'o', 'o.authorizationId = a.id')
        .select('a.id', 'id')
        .addSelect('a.botId', 'bot_id')
        .addSelect('a.status', 'status')
        .addSelect('o.ownerId', 'owner_id')
        .where('a.clientId = :clientId AND a.botId IN (:...botIds)', {
          clientId: this.config.clientId,
          botIds,
        })
        .andWhere(`a.workspaceId = :workspaceId AND a.status <> 'revoked'`, { workspaceId })
        .orderBy('a.createdAt')
        .addOrderBy('a.id')
        .addOrderBy('o.ownerId')
        .getRawMany<LinkRow>(),
    );
    return grouped(workspaceId, rows);
  }
}

function grouped(workspaceId: string, rows: readonly LinkRow[]): LinkedAuthorization[] {
  const owners = new Map<string, string[]>();
  for (const { id, owner_id: ownerId } of rows) owners.set(id, [...(owners.get(id) ?? []), ownerId]);
  const firsts = rows.filter(({ id }, index) => rows.findIndex((row) => row.id === id) === index);
  return firsts.map(({ id, bot_id: botId, status }) => ({
    id,
    botId,
    workspaceId,
    status: status as LinkedAuthorization['status'],
    ownerIds: owners.get(id) ?? [],
  }));
}
