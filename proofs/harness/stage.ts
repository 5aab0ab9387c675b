import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import pLimit from 'p-limit';
import {
  AuthorizationStore,
  NotionAuthModule,
  NotionRefreshService,
  Secret,
  type EncryptionKeyOption,
  type NotionAuthOptions,
  type RefreshOptions,
} from 'nestjs-notion-auth';
import type { NotionSimulatorControl, NotionSimulatorOptions } from 'nestjs-notion-auth/testing';
import { checkRows, type Findings } from './checker.js';
import { openDatabase, temporaryFolder, type ProofDatabase } from './database.js';
import type { PostgresOptions, PostgresServer } from './postgres.server.js';
import type { Proof } from './proof.js';
import type { Engine } from './proof.options.js';
import { Replica } from './replica.js';
import type { ReplicaSetup } from './replica.messages.js';
import { SimulatedNotion } from './simulated.notion.js';
import { StoredRows } from './stored.rows.js';
import { TcpProxy } from './tcp.proxy.js';

const REPLICA_PROCESS = fileURLToPath(new URL('./replica.process.js', import.meta.url));
const REDIRECT_URI = 'https://app.example/notion/callback';
const SETTLE_PAUSE_MS = 250;

export interface StageOptions {
  /** @defaultValue `postgres` */
  readonly engine?: Engine;
  readonly notion?: NotionSimulatorOptions;
  readonly refresh?: RefreshOptions;
  readonly outbound?: NotionAuthOptions['outbound'];
  readonly postgres?: PostgresOptions;
  /** Opened by everybody besides the stage's own key, which seals. */
  readonly nextKey?: EncryptionKeyOption;
  /** Writes down every version that a row ever had (PostgreSQL only). */
  readonly history?: boolean;
}

/** A grant that was connected: our id, and Notion's. */
export interface Grant {
  readonly id: string;
  readonly botId: string;
}

/** What a proof plays on: Notion in a process of its own, a database server, wires between, and replicas. */
export class Stage {
  private readonly key = randomBytes(32).toString('base64');
  private readonly replicas = new Set<Replica>();

  private constructor(
    private readonly proof: Proof,
    private readonly options: StageOptions,
    readonly simulated: SimulatedNotion,
    private currentDatabase: ProofDatabase,
    /** Between replicas and Notion; replicas always go through it. */
    readonly notionWire: TcpProxy,
    /** Between replicas and the database server; `null` for SQLite. */
    readonly databaseWire: TcpProxy | null,
  ) {}

  /** Starts everything but replicas, and creates the tables. All of it ends with the proof. */
  static async open(proof: Proof, options: StageOptions = {}): Promise<Stage> {
    const { leftovers } = proof;
    const engine = options.engine ?? 'postgres';
    proof.say(`starting Notion's simulator and ${engine}`);
    const notion = await SimulatedNotion.start(leftovers, { seed: proof.seed, ...options.notion });
    const database = await openDatabase(engine, leftovers, options.postgres);
    const { databaseUrl } = database.options;
    const databaseWire = typeof databaseUrl === 'string' ? await proxyTo(databaseUrl, proof) : null;
    const notionWire = await proxyTo(notion.control.url, proof);
    const stage = new Stage(proof, options, notion, database, notionWire, databaseWire);
    leftovers.onEnd(() => stage.close());
    await stage.inspect(() => Promise.resolve());
    if (options.history === true) await stage.readRows((rows) => rows.keepHistory());
    return stage;
  }

  get database(): ProofDatabase {
    return this.currentDatabase;
  }

  get notion(): NotionSimulatorControl {
    return this.simulated.control;
  }

  /** @throws when the stage has another engine. */
  get postgres(): PostgresServer {
    if (this.database.postgres === null) throw new Error('This stage has no PostgreSQL.');
    return this.database.postgres;
  }

  /** From now on the database is found on this server, a promoted standby: behind the same wire. */
  failOver(to: PostgresServer): void {
    const { databaseUrl } = this.database.options;
    if (typeof databaseUrl !== 'string') throw new Error('This stage has no database server.');
    const name = new URL(databaseUrl).pathname.slice(1);
    this.currentDatabase = { engine: 'postgres', postgres: to, options: { databaseUrl: to.urlOf(name) } };
    this.databaseWire?.pointTo(to.port);
  }

  /** Options of an application that meets Notion and the database directly. */
  get directOptions(): NotionAuthOptions {
    return {
      clientId: this.notion.clientId,
      clientSecret: this.notion.clientSecret,
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: this.notion.url,
      encryptionKeys: [
        { id: 'proof', key: this.key },
        ...(this.options.nextKey === undefined ? [] : [this.options.nextKey]),
      ],
      refresh: this.options.refresh,
      outbound: this.options.outbound,
      ...this.database.options,
    };
  }

  /** Options of a replica: through the wires. */
  replicaOptions(refresh: RefreshOptions = {}, wires: { readonly direct?: boolean } = {}): NotionAuthOptions {
    const direct = this.directOptions;
    const { databaseUrl } = direct;
    return {
      ...direct,
      refresh: { ...direct.refresh, ...refresh },
      ...(wires.direct === true ? {} : { apiBaseUrl: this.notionWire.inFrontOf(this.notion.url) }),
      ...(wires.direct !== true && this.databaseWire !== null && typeof databaseUrl === 'string'
        ? { databaseUrl: this.databaseWire.inFrontOf(databaseUrl) }
        : {}),
    };
  }

  /** A replica, ended with the stage at the latest. @param options - Default: {@link Stage.replicaOptions}. */
  async startReplica(setup?: ReplicaSetup, options = this.replicaOptions()): Promise<Replica> {
    return this.adopt(await Replica.start(REPLICA_PROCESS, options, setup));
  }

  /** One after another would be slow, all at once would starve two cores. */
  startReplicas(count: number, setup?: ReplicaSetup, options = this.replicaOptions()): Promise<Replica[]> {
    const slots = pLimit(2);
    return Promise.all(Array.from({ length: count }, () => slots(() => this.startReplica(setup, options))));
  }

  /** A new process in place of one that is gone. */
  async restart(replica: Replica): Promise<Replica> {
    return this.adopt(await replica.restart());
  }

  /** A journal folder of its own, as a replica's volume is. */
  journalFolder(): string {
    return temporaryFolder(this.proof.leftovers);
  }

  /** Connects so many grants, each of another person. */
  connect(count: number): Promise<Grant[]> {
    return this.inspect(async (store) => {
      const slots = pLimit(4);
      return Promise.all(Array.from({ length: count }, () => slots(() => this.connectOne(store))));
    });
  }

  /** The stored access token as the library reads it, told from Notion's point of view. */
  isUsable(grant: Grant): Promise<boolean> {
    return this.inspect(async (store) => {
      const stored = await store.readAccessToken(grant.id);
      return stored?.token != null && this.notion.ledger.isLive(stored.token.reveal());
    });
  }

  /**
   * Visits every row with an attempt that is under way or unresolved until there is none.
   * @returns How long it took, and what is still pending when `limitMs` was over.
   */
  async settle(limitMs: number): Promise<{ readonly tookMs: number; readonly pending: number }> {
    const startedMs = performance.now();
    const pending = await this.inspect((_store, refreshes) =>
      this.readRows(async (rows) => {
        for (;;) {
          const left = await rows.listPending();
          if (left.length === 0 || performance.now() - startedMs > limitMs) return left.length;
          this.proof.progress(`settling: ${left.length} attempts to resolve`);
          await visitAll(left, refreshes);
          await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
        }
      }),
    );
    return { tookMs: performance.now() - startedMs, pending };
  }

  /** Rows against the ledger. Settle first. */
  check(revoked?: ReadonlySet<string>): Promise<Findings> {
    return this.readRows((rows) => checkRows(rows, this.notion, revoked));
  }

  async readRows<T>(work: (rows: StoredRows) => Promise<T>): Promise<T> {
    const rows = await StoredRows.open(this.directOptions);
    return work(rows).finally(() => rows.close());
  }

  /** An application in this process for as long as the work takes, past the wires. */
  async inspect<T>(
    work: (store: AuthorizationStore, refreshes: NotionRefreshService) => Promise<T>,
  ): Promise<T> {
    const module = NotionAuthModule.forRoot({ ...this.directOptions, runMigrations: true, routes: false });
    const nest = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    return work(nest.get(AuthorizationStore), nest.get(NotionRefreshService)).finally(() => nest.close());
  }

  /** Ends the replicas; server, simulator and wires end with the proof. */
  async close(): Promise<void> {
    await Promise.all([...this.replicas].map((replica) => replica.kill()));
  }

  private adopt(replica: Replica): Replica {
    const { leftovers } = this.proof;
    this.replicas.add(replica);
    leftovers.watch(replica.pid);
    void replica.gone.then(() => {
      leftovers.forget(replica.pid);
      this.replicas.delete(replica);
    });
    return replica;
  }

  private async connectOne(store: AuthorizationStore): Promise<Grant> {
    const granted = await this.notion.grant();
    const { accessToken, refreshToken, ownerType, ...grant } = granted;
    const connected = await store.connect({
      ownerId: 'owner-1',
      clientId: this.notion.clientId,
      redirectUri: REDIRECT_URI,
      reconnect: null,
      grant: { ...grant, ownerKind: ownerType },
      pair: {
        accessToken: new Secret(accessToken),
        refreshToken: refreshToken === null ? null : new Secret(refreshToken),
        expiresInMs: null,
      },
    });
    if (!('authorization' in connected)) throw new Error('A new connection cannot be another grant.');
    return { id: connected.authorization.id, botId: granted.botId };
  }
}

async function visitAll(
  rows: readonly { readonly id: string; readonly version: number }[],
  refreshes: NotionRefreshService,
): Promise<void> {
  const visit = ({ id, version }: { readonly id: string; readonly version: number }) =>
    refreshes.refresh(id, { trigger: 'recovery', seenVersion: version }).catch(() => undefined);
  await Promise.all(rows.map(visit));
}

async function proxyTo(url: string, { leftovers }: Proof): Promise<TcpProxy> {
  const proxy = await TcpProxy.start({ port: Number(new URL(url).port) });
  leftovers.onEnd(() => proxy.close());
  return proxy;
}
