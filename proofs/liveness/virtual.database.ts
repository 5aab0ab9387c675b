import { DataSource } from 'typeorm';
import { dialectOf, type Dialect } from '../../src/storage/dialect.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { notionAuthEntities, notionAuthMigrations } from '../../src/storage/storage-schema.js';
import type { VirtualTime } from './virtual.time.js';

/** What statements say instead of asking a clock; the server puts its own time there. */
const NOW = 'virtual_now()';

interface SqliteConnection {
  all(sql: string, parameters: readonly unknown[], done: (error: Error | null, rows: unknown[]) => void): void;
  run(
    sql: string,
    parameters: readonly unknown[],
    done: (this: { changes: number; lastID: number }, error: Error | null) => void,
  ): void;
}

/** What the driver says of one statement. */
export interface Answer {
  readonly raw: unknown;
  readonly records: unknown[];
  readonly affected: number | undefined;
}

/**
 * The database server of a fleet: SQLite in memory executes the statements, one transaction after another; its clock,
 * its identity and its failures are those of the simulation.
 */
export class VirtualDatabase {
  /** As PostgreSQL tells them. A restart changes neither. */
  readonly identity = { system: '7431912345678901234', timeline: '00000001' };
  readonly dialect: Dialect = { ...dialectOf('sqlite'), now: NOW };
  /** Of the server's clock, against virtual time. */
  clockOffsetMs = 0;
  isDown = false;
  /** 0 to 1: connections that cannot be had, as with a role at its connection limit (53300). */
  refusedShare = 0;
  /** Statements about the server's identity that are cancelled (57014). */
  cancelsIdentity = false;
  /** Connections of an earlier one are gone. */
  generation = 0;
  private underWay = 0;
  private line: Promise<void> = Promise.resolve();

  private constructor(readonly dataSource: DataSource) {}

  static async open(): Promise<VirtualDatabase> {
    const dataSource = await new DataSource({
      type: 'sqlite',
      database: ':memory:',
      entities: [...notionAuthEntities],
      migrations: notionAuthMigrations('sqlite'),
      logging: false,
    }).initialize();
    await prepareDatabase(dataSource, { owned: true, runMigrations: true, environment: {} });
    return new VirtualDatabase(dataSource);
  }

  get isBusy(): boolean {
    return this.underWay > 0;
  }

  startClock(time: VirtualTime): void {
    this.nowMs = () => Math.floor(time.epochMs + this.clockOffsetMs);
  }

  /** Every connection breaks; the next one finds the same server again. */
  restart(): void {
    this.generation += 1;
  }

  /** Resolves when this caller is the only one, with what ends its turn. */
  async turn(): Promise<() => void> {
    let end!: () => void;
    const before = this.line;
    this.line = new Promise((resolve) => (end = resolve));
    await before;
    return end;
  }

  execute(sql: string, parameters: readonly unknown[] = []): Promise<Answer> {
    const text = sql.replaceAll(NOW, String(this.nowMs()));
    const { databaseConnection } = this.dataSource.driver as unknown as { databaseConnection: SqliteConnection };
    this.underWay += 1;
    return new Promise<Answer>((resolve, reject) => {
      if (/^(?:INSERT|UPDATE|DELETE) /.test(text)) {
        databaseConnection.run(text, parameters, function (error) {
          if (error === null) resolve({ raw: this.lastID, records: [], affected: this.changes });
          else reject(error);
        });
      } else {
        databaseConnection.all(text, parameters, (error, rows) => {
          if (error === null) resolve({ raw: rows, records: rows, affected: undefined });
          else reject(error);
        });
      }
    }).finally(() => (this.underWay -= 1));
  }

  /** Reads outside of the simulation's faults, between transactions. */
  async look<Row>(sql: string): Promise<Row[]> {
    const end = await this.turn();
    try {
      return (await this.execute(sql)).records as Row[];
    } finally {
      end();
    }
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  private nowMs: () => number = () => 0;
}
