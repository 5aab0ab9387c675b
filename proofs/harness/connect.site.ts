import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DataSource } from 'typeorm';
import { Agent } from 'undici';
import { ConnectReplica } from './connect.replica.js';
import type { ConnectVisitor } from './connect.visitor.js';
import type { Proof } from './proof.js';
import type { Stage } from './stage.js';

const PROGRAM = fileURLToPath(new URL('../../test/support/connect.process.js', import.meta.url));

/** One application, served by several processes. */
export class ConnectSite {
  /** Every state that it has given out. */
  readonly states: string[] = [];
  readonly agent = new Agent({ connections: 20 });
  private replicas: ConnectReplica[] = [];

  private constructor(
    private readonly proof: Proof,
    private readonly stage: Stage,
    private readonly processes: number,
    /** The auditor's own way into the tables; `null` for SQLite. */
    readonly tables: DataSource | null,
  ) {}

  static async open(proof: Proof, stage: Stage, processes: number): Promise<ConnectSite> {
    const { databaseUrl } = stage.directOptions;
    const tables =
      typeof databaseUrl === 'string'
        ? await new DataSource({ type: 'postgres', url: databaseUrl, poolSize: 1 }).initialize()
        : null;
    const site = new ConnectSite(proof, stage, processes, tables);
    proof.leftovers.onEnd(() => site.close());
    await site.boot();
    return site;
  }

  originOf(visit: number): string {
    return this.replicas[visit % this.replicas.length]!.url;
  }

  /** Begins a connect. @returns Where the visitor is sent: Notion's authorize page. */
  async start(visitor: ConnectVisitor, visit: number): Promise<string> {
    const { status, location } = await visitor.get(`${this.originOf(visit)}/notion/connect`);
    if (status !== 303) throw new Error(`A connect began with ${status}.`);
    this.states.push(new URL(location).searchParams.get('state') ?? '');
    return location;
  }

  /** Starts the processes. */
  async boot(): Promise<void> {
    const options = this.stage.replicaOptions({}, { direct: true });
    const started = Array.from({ length: this.processes }, () => ConnectReplica.start(PROGRAM, options));
    this.replicas = await Promise.all(started);
    for (const replica of this.replicas) this.proof.leftovers.watch(replica.pid);
  }

  /** The processes leave by themselves, their connections to the database in order. */
  async leave(): Promise<void> {
    for (const replica of this.replicas) {
      await replica.leave();
      this.proof.leftovers.forget(replica.pid);
    }
    // A server takes a moment to end the sessions of a process that is gone, and to add up what they did.
    while (this.tables !== null && (await othersIn(this.tables)) > 0) await sleep(50);
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) await replica.kill();
    if (this.tables?.isInitialized === true) await this.tables.destroy();
    await this.agent.close().catch(() => undefined);
  }
}

async function othersIn(tables: DataSource): Promise<number> {
  const [row] = await tables.query<[{ count: string }]>(
    'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  return Number(row.count);
}
