import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DatabaseWatch } from '../domain/database-watch.js';
import { SECOND_MS } from '../domain/duration.js';
import { isConnectionLoss } from './database-errors.js';
import type { DatabaseFamily } from './dialect.js';
import { NotionDatabase } from './notion-database.js';

/** Who answers, and since when. */
interface ServerRun {
  readonly server: string;
  readonly startedAtMs: number;
  /** How far apart two readings of the same start may be. */
  readonly toleranceMs: number;
}

@Injectable()
export class TypeOrmDatabaseWatch extends DatabaseWatch {
  private lastRun: ServerRun | null = null;

  constructor(private readonly database: NotionDatabase) {
    super();
  }

  override async incarnation(): Promise<string | null> {
    const run = await this.database.read(({ manager, dialect }) => RUNS[dialect.family](manager));
    if (run === null) return null;
    // The same run read twice must have the same name.
    if (!isSameRun(this.lastRun, run)) this.lastRun = run;
    const { server, startedAtMs } = this.lastRun ?? run;
    return `${server}@${String(startedAtMs)}`;
  }

  override onConnectionChange(listener: () => void): void {
    this.database.connections.listen(listener);
  }
}

const RUNS: Readonly<Record<DatabaseFamily, (manager: EntityManager) => Promise<ServerRun | null>>> = {
  sqlite: () => Promise.resolve(null),
  postgres: async (manager) => {
    const [{ started_us: startedUs }] = await manager.query<[{ started_us: string }]>(
      'SELECT CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS bigint) AS started_us',
    );
    return { server: await timelineOf(manager), startedAtMs: Number(startedUs) / 1_000, toleranceMs: 0 };
  },
  mysql: async (manager) => {
    const [{ now_ms: nowMs }] = await manager.query<[{ now_ms: string | number }]>(
      `SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(3)) DIV 1000 AS now_ms`,
    );
    const [uptime] = await manager.query<{ Value: string }[]>(`SHOW GLOBAL STATUS LIKE 'Uptime'`);
    // Each server knows some of these; asking for a missing one by name would fail.
    const names = await manager.query<{ Value: string }[]>(
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('hostname', 'port', 'server_id', 'server_uid', 'server_uuid')`,
    );
    return {
      server: names.map(({ Value: value }) => value).join('/'),
      startedAtMs: Number(nowMs) - Number(uptime?.Value ?? 0) * SECOND_MS,
      // The age is told in whole seconds.
      toleranceMs: 2 * SECOND_MS,
    };
  },
};

/** A promoted standby goes on with the start time it had, on a timeline of its own. */
async function timelineOf(manager: EntityManager): Promise<string> {
  try {
    const [{ timeline }] = await manager.query<[{ timeline: string }]>(
      `SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline`,
    );
    return timeline;
  } catch (error) {
    if (isConnectionLoss(error)) throw error;
    // A relative of PostgreSQL without write-ahead log functions: its start time has to do.
    return 'unknown';
  }
}

function isSameRun(known: ServerRun | null, run: ServerRun): boolean {
  if (known?.server !== run.server) return false;
  return Math.abs(known.startedAtMs - run.startedAtMs) <= run.toleranceMs;
}
