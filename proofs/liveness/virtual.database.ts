import { LRUCache } from 'lru-cache';
import sqlite3, { type Database, type Statement } from 'sqlite3';
import { DataSource } from 'typeorm';
import { dialectOf, type Dialect } from '../../src/storage/dialect.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { notionAuthEntities, notionAuthMigrations } from '../../src/storage/storage-schema.js';
import type { VirtualTime } from './virtual.time.js';

/** What statements say instead of asking a clock; the server puts its own time there. */
const NOW = 'virtual_now()';
const STATEMENTS_KEPT = 500;

/** TypeORM makes each of these note where it was called from, which takes longer than what it calls. */
const TRACED = ['run', 'all', 'finalize'] as const;
const untraced = TRACED.map(
  (name) => [name, Reflect.get(sqlite3.Statement.prototype, name) as unknown] as const,
);

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
  readonly dialect: Dialect = { ...dialectOf('sqlite'), now: NOW, statementNow: NOW };
  /** Of the server's clock, against virtual time. */
  clockOffsetMs = 0;
  isDown = false;
  /** 0 to 1: connections that cannot be had, as with a role at its connection limit (53300). */
  refusedShare = 0;
  /** Statements about the server's identity that are cancelled (57014). */
  cancelsIdentity = false;
  /** Connections of an earlier one are gone. */
  generation = 0;
  private time: VirtualTime | null = null;
  private underWay = 0;
  private onRest: () => void = () => undefined;
  private line: Promise<void> = Promise.resolve();
  private readonly prepared = new LRUCache<string, Statement>({
    max: STATEMENTS_KEPT,
    dispose: (statement) => statement.finalize(),
  });

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
    for (const [name, method] of untraced) Object.assign(sqlite3.Statement.prototype, { [name]: method });
    return new VirtualDatabase(dataSource);
  }

  startClock(time: VirtualTime): void {
    this.time = time;
  }

  /** Resolves when no statement is under way, with whether one was. */
  async rest(): Promise<boolean> {
    if (this.underWay === 0) return false;
    await new Promise<void>((resolve) => (this.onRest = resolve));
    return true;
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
    const bound = this.withTime(sql, parameters);
    this.underWay += 1;
    return this.executeBound(bound.sql, bound.parameters).finally(() => {
      this.underWay -= 1;
      if (this.underWay === 0) this.onRest();
    });
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
    this.prepared.clear();
    await this.dataSource.destroy();
  }

  private executeBound(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    const statement = this.prepare(sql);
    return new Promise((resolve, reject) => {
      if (/^(?:INSERT|UPDATE|DELETE) /.test(sql)) {
        statement.run(parameters, function (error: Error | null) {
          if (error === null) resolve({ raw: this.lastID, records: [], affected: this.changes });
          else reject(error);
        });
      } else {
        statement.all(parameters, (error: Error | null, rows: unknown[]) => {
          if (error === null) resolve({ raw: rows, records: rows, affected: undefined });
          else reject(error);
        });
      }
    });
  }

  private prepare(sql: string): Statement {
    const known = this.prepared.get(sql);
    if (known !== undefined) return known;
    const { databaseConnection } = this.dataSource.driver as unknown as { databaseConnection: Database };
    const statement = databaseConnection.prepare(sql);
    this.prepared.set(sql, statement);
    return statement;
  }

  /** The time is a parameter among the others, so that the statement stays the same. */
  private withTime(sql: string, parameters: readonly unknown[]): { sql: string; parameters: unknown[] } {
    const [first = '', ...parts] = sql.split(NOW);
    if (parts.length === 0) return { sql, parameters: [...parameters] };
    const nowMs = Math.floor((this.time?.epochMs ?? 0) + this.clockOffsetMs);
    const left = [...parameters];
    const all = left.splice(0, placesIn(first));
    for (const part of parts) all.push(nowMs, ...left.splice(0, placesIn(part)));
    return { sql: [first, ...parts].join('?'), parameters: all };
  }
}

function placesIn(sql: string): number {
  return sql.split('?').length - 1;
}
