import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { dialectOf, type DatabaseFamily } from './dialect.js';
import { EventMysql1795470000000 } from './migrations/event.mysql.js';
import { EventPostgres1795470000000 } from './migrations/event.postgres.js';
import { EventSqlite1795470000000 } from './migrations/event.sqlite.js';
import { InitialMysql1795200000000 } from './migrations/initial.mysql.js';
import { InitialPostgres1795200000000 } from './migrations/initial.postgres.js';
import { InitialSqlite1795200000000 } from './migrations/initial.sqlite.js';
import { RevocationMysql1795290000000 } from './migrations/revocation.mysql.js';
import { RevocationPostgres1795290000000 } from './migrations/revocation.postgres.js';
import { RevocationSqlite1795290000000 } from './migrations/revocation.sqlite.js';
import { WebhookMysql1795380000000 } from './migrations/webhook.mysql.js';
import { WebhookPostgres1795380000000 } from './migrations/webhook.postgres.js';
import { WebhookSqlite1795380000000 } from './migrations/webhook.sqlite.js';
import { BreakerSuspectEntity } from './breaker-suspect.entity.js';
import { DatabaseTimelineEntity } from './database-timeline.entity.js';
import { EventEntity } from './event.entity.js';
import { OAuthStateEntity } from './oauth-state.entity.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import { RefreshGateEntity } from './refresh-gate.entity.js';
import { RefreshRateEntity } from './refresh-rate.entity.js';
import { RevocationEntity } from './revocation.entity.js';
import type { MigrationClass } from './sql-migration.js';
import { WebhookEventEntity } from './webhook-event.entity.js';
import { WebhookTokenEntity } from './webhook-token.entity.js';

/** For the `entities` of an application's own DataSource. */
export const notionAuthEntities = [
  AuthorizationEntity,
  AuthorizationOwnerEntity,
  RefreshAttemptEntity,
  OAuthStateEntity,
  RefreshGateEntity,
  BreakerSuspectEntity,
  DatabaseTimelineEntity,
  RefreshRateEntity,
  RevocationEntity,
  WebhookTokenEntity,
  WebhookEventEntity,
  EventEntity,
] as const;

/** Where the module notes which of its migrations ran, apart from the application's. */
export const NOTION_AUTH_MIGRATIONS_TABLE = 'notion_auth_migration';

const MIGRATIONS: Readonly<Record<DatabaseFamily, readonly MigrationClass[]>> = {
  sqlite: [
    InitialSqlite1795200000000,
    RevocationSqlite1795290000000,
    WebhookSqlite1795380000000,
    EventSqlite1795470000000,
  ],
  postgres: [
    InitialPostgres1795200000000,
    RevocationPostgres1795290000000,
    WebhookPostgres1795380000000,
    EventPostgres1795470000000,
  ],
  mysql: [
    InitialMysql1795200000000,
    RevocationMysql1795290000000,
    WebhookMysql1795380000000,
    EventMysql1795470000000,
  ],
};

/**
 * For the `migrations` of an application that runs them itself.
 * @param type - `DataSource.options.type`: `postgres`, `mysql`, `mariadb`, `sqlite`, `better-sqlite3`
 * @throws {@link NotionStorageUnsupportedError} for any other.
 */
export function notionAuthMigrations(type: string): MigrationClass[] {
  return [...MIGRATIONS[dialectOf(type).family]];
}
