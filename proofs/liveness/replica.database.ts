import { EventEmitter } from 'node:events';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { SeededRandom } from '../harness/seeded.random.js';
import { ConnectionEvents } from '../../src/storage/connection-events.js';
import type { SessionWork } from '../../src/storage/database-sessions.js';
import type { NotionDatabase } from '../../src/storage/notion-database.js';
import { PooledSessions } from '../../src/storage/pooled-sessions.js';
import type { VirtualDatabase } from './virtual.database.js';
import type { VirtualTime } from './virtual.time.js';

/** As the module's own pool. */
const POOL_SIZE = 4;
/** `pg` closes a connection that was idle for so long. */
const IDLE_MS = 10_000;
const ASKS_IDENTITY = /pg_control_system|pg_walfile_name|pg_is_in_recovery|pg_current_wal/;

/** What a connection does at its next commit, once. */
export type CommitFault = 'kill_before' | 'kill_after' | 'break_before' | 'break_after';

interface Connection {
  readonly generation: number;
  usedAtMs: number;
}

/**
 * The connections of one replica to the virtual server, below the library's own `PooledSessions`: they are made,
 * refused, broken and closed as a driver's are. When the replica is killed, nothing of it settles any more.
 */
export class ReplicaDatabase {
  readonly database: NotionDatabase;
  isDead = false;
  commitFault: CommitFault | null = null;
  onDeath: () => void = () => undefined;
  private readonly pool = new EventEmitter();
  private readonly idle: Connection[] = [];

  constructor(
    readonly server: VirtualDatabase,
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
  ) {
    const connections = new ConnectionEvents({ pool: this.pool } as never);
    this.pool.on('error', () => undefined);
    const dataSource = {
      options: { type: 'postgres', poolSize: POOL_SIZE },
      driver: {},
      createQueryRunner: () => new ReplicaRunner(this),
    } as unknown as DataSource;
    const sessions = new PooledSessions(dataSource, server.dialect, () => {
      connections.tell();
    });
    this.database = {
      dialect: server.dialect,
      connections,
      warnings: [],
      dataSource: server.dataSource,
      read: <T>(work: SessionWork<T>) => sessions.read(work),
      transaction: <T>(work: SessionWork<T>, options = {}) => sessions.transaction(work, options),
    } as unknown as NotionDatabase;
  }

  /** The same for the library's `TypeOrmDatabaseWatch`, which only PostgreSQL gives something to look at. */
  asPostgres(): NotionDatabase {
    const family = 'postgres' as const;
    const asked =
      <T>(work: SessionWork<T>): SessionWork<T> =>
      (session) =>
        work({ ...session, dialect: { ...session.dialect, family } });
    const { connections } = this.database;
    return {
      connections,
      // The statements run on SQLite, whose transactions take no row locks.
      dialect: { ...this.server.dialect, family, locksRows: true },
      read: <T>(work: SessionWork<T>) => this.database.read(asked(work)),
      transaction: <T>(work: SessionWork<T>, options = {}) => this.database.transaction(asked(work), options),
    } as unknown as NotionDatabase;
  }

  /** Idle connections hear of it at once, as the driver's pool does. */
  hearOfRestart(): void {
    const broken = this.idle.splice(0).length;
    if (broken > 0) this.pool.emit('error', new Error('terminating connection'));
  }

  connect(): Connection {
    for (let kept = this.idle.pop(); kept !== undefined; kept = this.idle.pop()) {
      if (this.time.nowMs - kept.usedAtMs < IDLE_MS) return kept;
    }
    if (this.server.isDown) throw driverError('ECONNREFUSED', 'connect ECONNREFUSED');
    if (this.random.chance(this.server.refusedShare)) {
      throw driverError('53300', 'too many connections for role "app"');
    }
    this.pool.emit('connect', new EventEmitter());
    return { generation: this.server.generation, usedAtMs: this.time.nowMs };
  }

  giveBack(connection: Connection): void {
    connection.usedAtMs = this.time.nowMs;
    this.idle.push(connection);
  }
}

/** What TypeORM calls a query runner: one connection for one piece of work. */
class ReplicaRunner {
  readonly manager: EntityManager;
  isTransactionActive = false;
  private connection: Connection | null = null;
  private isBroken = false;
  private hasBegun = false;
  private endTurn: (() => void) | null = null;

  constructor(private readonly replica: ReplicaDatabase) {
    const { dataSource } = replica.server;
    const Runner = dataSource.createQueryRunner().constructor as new (driver: unknown) => QueryRunner;
    const inner = new Runner(dataSource.driver);
    this.manager = dataSource.createEntityManager(inner);
    const query = (sql: string, parameters?: readonly unknown[], isStructured?: boolean) =>
      this.query(sql, parameters, isStructured);
    Object.assign(inner, { manager: this.manager, query });
  }

  async connect(): Promise<void> {
    await this.requireConnection();
  }

  async query(sql: string, parameters: readonly unknown[] = [], isStructured = false): Promise<unknown> {
    await this.requireConnection();
    if (ASKS_IDENTITY.test(sql)) return this.identity();
    const end = this.endTurn === null ? await this.turn() : null;
    try {
      if (this.endTurn !== null && !this.hasBegun && !sql.startsWith('SELECT ')) {
        await this.replica.server.execute('BEGIN IMMEDIATE');
        this.hasBegun = true;
      }
      const answer = await this.replica.server.execute(sql, parameters);
      return isStructured ? answer : answer.raw;
    } finally {
      end?.();
    }
  }

  async startTransaction(): Promise<void> {
    await this.requireConnection();
    // It is alone from now on; the engine only hears of it when something is written.
    this.endTurn = await this.turn();
    this.hasBegun = false;
    this.isTransactionActive = true;
  }

  async commitTransaction(): Promise<void> {
    const fault = this.replica.commitFault;
    this.replica.commitFault = null;
    const isLost = fault === 'kill_before' || fault === 'break_before';
    await this.end(isLost ? 'ROLLBACK' : 'COMMIT');
    if (fault === null) return;
    if (fault === 'kill_before' || fault === 'kill_after') {
      this.replica.onDeath();
      await never();
    }
    this.isBroken = true;
    throw driverError('57P01', 'terminating connection due to administrator command');
  }

  rollbackTransaction(): Promise<void> {
    return this.end('ROLLBACK');
  }

  release(): Promise<void> {
    if (this.connection !== null && !this.isBroken) this.replica.giveBack(this.connection);
    this.connection = null;
    return Promise.resolve();
  }

  /** A replica that was killed in the line leaves it. */
  private async turn(): Promise<() => void> {
    const end = await this.replica.server.turn();
    if (!this.replica.isDead) return end;
    end();
    return never();
  }

  private async end(statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    if (!this.isTransactionActive) return;
    this.isTransactionActive = false;
    if (this.hasBegun) await this.replica.server.execute(statement);
    this.endTurn?.();
    this.endTurn = null;
  }

  private async requireConnection(): Promise<void> {
    if (this.replica.isDead) await never();
    this.connection ??= this.replica.connect();
    if (this.connection.generation !== this.replica.server.generation) {
      this.isBroken = true;
      throw driverError('57P01', 'terminating connection due to administrator command');
    }
  }

  private identity(): unknown {
    const { cancelsIdentity, identity } = this.replica.server;
    if (cancelsIdentity) throw driverError('57014', 'canceling statement due to statement timeout');
    return [{ ...identity }];
  }
}

function driverError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
