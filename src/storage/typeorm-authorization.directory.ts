import { Inject, Injectable } from '@nestjs/common';
import type { SelectQueryBuilder } from 'typeorm';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  AuthorizationDirectory,
  type DirectoryQuery,
  type DirectorySearch,
  type JournaledAttempt,
} from '../domain/authorization-directory.js';
import type { Authorization, AuthorizationId } from '../domain/authorization.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { authorizations } from './authorization-queries.js';
import { onlyDue } from './authorization-rows.js';
import { AuthorizationEntity } from './authorization.entity.js';
import type { DatabaseSession } from './database-sessions.js';
import { isAuthorizationId } from './identifiers.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';

const MOST_OF_A_PAGE = 500;

/** Authorizations of the configured client id. */
@Injectable()
export class TypeOrmAuthorizationDirectory extends AuthorizationDirectory {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override page(query: DirectoryQuery): Promise<readonly Authorization[]> {
    const limit = bounded(query.limit);
    return this.database.read((session) =>
      authorizations(filtered(this.rows(session), query).orderBy('a.id').limit(limit)),
    );
  }

  override search({ status, text, after, limit }: DirectorySearch): Promise<readonly Authorization[]> {
    return this.database.read((session) => {
      const rows = filtered(this.rows(session), { status });
      if (text !== undefined) matching(session, rows, text);
      if (after !== undefined) {
        rows.andWhere('(a.statusSince < :since OR (a.statusSince = :since AND a.id < :after))', {
          since: after.statusSince.getTime(),
          after: after.id,
        });
      }
      return authorizations(
        rows.orderBy('a.statusSince', 'DESC').addOrderBy('a.id', 'DESC').limit(bounded(limit)),
      );
    });
  }

  override async find(id: AuthorizationId): Promise<Authorization | null> {
    if (!isAuthorizationId(id)) return null;
    const [found] = await this.database.read((session) =>
      authorizations(this.rows(session).andWhere('a.id = :id', { id })),
    );
    return found ?? null;
  }

  override countDue(olderThanMs: number): Promise<number> {
    return this.database.read((session) => onlyDue(this.rows(session), session, olderThanMs).getCount());
  }

  override async ownersOf(id: AuthorizationId): Promise<readonly string[]> {
    if (!isAuthorizationId(id)) return [];
    const links = await this.database.read(({ manager }) =>
      manager
        .createQueryBuilder(AuthorizationOwnerEntity, 'o')
        .where('o.authorizationId = :id', { id })
        .orderBy('o.linkedAt')
        .addOrderBy('o.ownerId')
        .getMany(),
    );
    return links.map(({ ownerId }) => ownerId);
  }

  override async attemptsOf(id: AuthorizationId, limit: number): Promise<readonly JournaledAttempt[]> {
    if (!isAuthorizationId(id)) return [];
    const rows = await this.database.read(({ manager }) =>
      manager
        .createQueryBuilder(RefreshAttemptEntity, 't')
        .where('t.authorizationId = :id AND t.clientId = :clientId', { id, clientId: this.config.clientId })
        .orderBy('t.startedAt', 'DESC')
        .addOrderBy('t.id', 'DESC')
        .limit(bounded(limit))
        .getMany(),
    );
    return rows.map(toAttempt);
  }

  private rows({ manager }: DatabaseSession): SelectQueryBuilder<AuthorizationEntity> {
    return manager
      .createQueryBuilder(AuthorizationEntity, 'a')
      .addSelect('CASE WHEN a.sealedRefreshToken IS NULL THEN 0 ELSE 1 END', 'has_refresh_token')
      .where('a.clientId = :clientId', { clientId: this.config.clientId });
  }
}

function filtered(
  rows: SelectQueryBuilder<AuthorizationEntity>,
  { status, ownerId, workspaceId, botId, after }: Omit<DirectoryQuery, 'limit'>,
): SelectQueryBuilder<AuthorizationEntity> {
  if (status !== undefined) rows.andWhere('a.status = :status', { status });
  if (workspaceId !== undefined) rows.andWhere('a.workspaceId = :workspaceId', { workspaceId });
  if (botId !== undefined) rows.andWhere('a.botId = :botId', { botId });
  if (after !== undefined) rows.andWhere('a.id > :after', { after });
  if (ownerId !== undefined) {
    const link = 'o.authorizationId = a.id AND o.ownerId = :ownerId';
    rows.innerJoin(AuthorizationOwnerEntity, 'o', link, { ownerId });
  }
  return rows;
}

function bounded(limit: number): number {
  return Math.min(Math.max(1, Math.trunc(limit)), MOST_OF_A_PAGE);
}

const ID_COLUMNS = ['a.id', 'a.workspaceId', 'a.botId', 'a.ownerUserId'] as const;

function matching(
  { manager }: DatabaseSession,
  rows: SelectQueryBuilder<AuthorizationEntity>,
  text: string,
): void {
  const literal = text.replaceAll(/[!%_]/g, '!$&');
  const link = manager
    .createQueryBuilder(AuthorizationOwnerEntity, 'o')
    .select('1')
    .where(`o.authorizationId = a.id AND o.ownerId LIKE :beginning ESCAPE '!'`);
  const ids = ID_COLUMNS.map((column) => `${column} LIKE :beginning ESCAPE '!'`);
  rows.andWhere(
    `(LOWER(a.workspaceName) LIKE LOWER(:part) ESCAPE '!' OR ${ids.join(' OR ')} OR EXISTS (${link.getQuery()}))`,
    { beginning: `${literal}%`, part: `%${literal}%` },
  );
}

function toAttempt(row: RefreshAttemptEntity): JournaledAttempt {
  return {
    id: row.id,
    trigger: row.triggeredBy,
    spentVersion: row.spentVersion,
    startedAt: new Date(row.startedAt),
    endedAt: row.endedAt === null ? null : new Date(row.endedAt),
    outcome: row.outcome,
    status: row.httpStatus,
    code: row.failureCode,
    requestId: row.requestId,
    upstreamMs: row.upstreamMs,
  };
}
