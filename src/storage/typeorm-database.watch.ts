import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { DatabaseWatch } from '../domain/database-watch.js';
import { isConnectionLoss } from './database-errors.js';
import { harmlessTwice } from './database-sessions.js';
import { noteTimeline } from './database-timeline.js';
import type { DatabaseFamily } from './dialect.js';
import { NotionDatabase } from './notion-database.js';

@Injectable()
export class TypeOrmDatabaseWatch extends DatabaseWatch {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override async compare(holdMs: number): Promise<string | null> {
    const timeline = await this.database.read(({ manager, dialect }) => TIMELINES[dialect.family](manager));
    if (timeline === null) return null;
    const { clientId } = this.config;
    await this.database.transaction((session) => noteTimeline({ ...session, clientId }, timeline, holdMs), {
      durable: true,
      repeatOnUniqueViolation: true,
      confirm: harmlessTwice,
    });
    return timeline;
  }

  override onConnectionChange(listener: () => void): void {
    this.database.connections.listen(listener);
  }
}

/**
 * Names the history of commits that a server goes on with. It survives a restart, which forgets no commit that was
 * made durable, and ends with a promotion or a restored backup.
 */
const TIMELINES: Readonly<Record<DatabaseFamily, (manager: EntityManager) => Promise<string | null>>> = {
  sqlite: () => Promise.resolve(null),
  postgres: postgresTimeline,
  mysql: async (manager) => {
    // Each server knows some of these; asking for a missing one by name would fail.
    const names = await manager.query<{ Value: string }[]>(
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('hostname', 'port', 'server_id', 'server_uid', 'server_uuid')`,
    );
    return names.map(({ Value: value }) => value).join('/');
  },
};

async function postgresTimeline(manager: EntityManager): Promise<string> {
  try {
    const [{ system, timeline }] = await manager.query<[{ system: string; timeline: string }]>(
      `SELECT (SELECT system_identifier FROM pg_control_system()) AS system,
              CASE WHEN pg_is_in_recovery() THEN 'standby'
                   ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline`,
    );
    return `${system}/${timeline}`;
  } catch (error) {
    if (isConnectionLoss(error)) throw error;
    // A relative of PostgreSQL without these functions, or a role that may not call them.
    return 'unknown';
  }
}
