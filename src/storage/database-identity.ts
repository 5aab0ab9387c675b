import type { EntityManager } from 'typeorm';
import { isRejectedForGood, isPrivilegeMissing } from './database-errors.js';
import type { DatabaseSession } from './database-sessions.js';
import type { DatabaseFamily } from './dialect.js';

/** Why a changed identity can never be noticed by this role or on this database. */
export type DetectionObstacle = 'no_privilege' | 'not_supported' | 'cluster' | 'several_servers';

export type ServerIdentity =
  /**
   * Names the history of commits that the server goes on with. The name survives a restart and another host name or
   * port, which lose no commit, and ends with a promotion.
   */
  | { readonly kind: 'known'; readonly name: string }
  /** A standby or a read-only server: it commits nothing, and a promotion may give it an identity at any time. */
  | { readonly kind: 'read_only' }
  | { readonly kind: 'unknowable'; readonly obstacle: DetectionObstacle };

/** What an operator reads about each, in the log and in `doctor`. */
export const OBSTACLE_TEXTS: Readonly<Record<DetectionObstacle, string>> = {
  no_privilege:
    'the database role may not read the identity of the server. Run GRANT EXECUTE ON FUNCTION pg_control_system(), ' +
    'pg_current_wal_lsn(), pg_walfile_name(pg_lsn), pg_is_in_recovery() TO <role> and restart the application.',
  not_supported: 'this database does not have an identity that changes with a failover.',
  cluster:
    'several servers of this cluster accept writes (Galera or group replication). Connections reach different ' +
    'servers without any lost commit.',
  several_servers:
    'a proxy or load balancer connects to several writable servers in turn. Connect to the primary only and restart ' +
    'the application.',
};

/**
 * Asks the server of this session. Call it in a transaction: proxies that split reads from writes route its statements
 * to the server that will commit. After `unknowable`, PostgreSQL accepts no further statement in the transaction.
 *
 * Rejects with the driver's error when the identity is not known now.
 */
export function readServerIdentity({ manager, dialect }: DatabaseSession): Promise<ServerIdentity> {
  return READERS[dialect.family](manager);
}

const READERS: Readonly<Record<DatabaseFamily, (manager: EntityManager) => Promise<ServerIdentity>>> = {
  // An embedded file does not fail over.
  sqlite: () => Promise.resolve({ kind: 'unknowable', obstacle: 'not_supported' }),
  postgres: readPostgresIdentity,
  mysql: async (manager) => {
    const rows = await manager.query<{ Variable_name: string; Value: string }[]>(
      // Each server knows some of these; asking for a missing one by name would fail.
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_id', 'read_only', 'super_read_only',
         'innodb_read_only', 'wsrep_on', 'group_replication_group_name')`,
    );
    return identityFromVariables(new Map(rows.map((row) => [row.Variable_name, row.Value])));
  },
};

async function readPostgresIdentity(manager: EntityManager): Promise<ServerIdentity> {
  try {
    const [{ system, timeline }] = await manager.query<[{ system: string; timeline: string | null }]>(
      `SELECT (SELECT system_identifier FROM pg_control_system()) AS system,
              CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline`,
    );
    return timeline === null ? { kind: 'read_only' } : { kind: 'known', name: `${system}/${timeline}` };
  } catch (error) {
    if (!isRejectedForGood(error)) throw error;
    return { kind: 'unknowable', obstacle: isPrivilegeMissing(error) ? 'no_privilege' : 'not_supported' };
  }
}

/**
 * MySQL keeps `server_uuid` in its data directory. MariaDB has none, and its `server_uid` changes with the network
 * address and the port; `server_id` is configured, and replication demands that no two servers share it.
 */
export function identityFromVariables(variables: ReadonlyMap<string, string>): ServerIdentity {
  const isOn = (name: string) => !['OFF', '0', ''].includes(variables.get(name) ?? '');
  if (isOn('wsrep_on') || isOn('group_replication_group_name')) {
    return { kind: 'unknowable', obstacle: 'cluster' };
  }
  if (['read_only', 'super_read_only', 'innodb_read_only'].some(isOn)) return { kind: 'read_only' };
  const [uuid, id] = [variables.get('server_uuid'), variables.get('server_id')];
  if (uuid) return { kind: 'known', name: uuid };
  return id ? { kind: 'known', name: `server_id ${id}` } : { kind: 'unknowable', obstacle: 'not_supported' };
}
