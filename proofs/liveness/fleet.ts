import type { NotionAuthEvent } from '../../src/index.js';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/duration.js';
import { LEASE_MS } from './bounds.js';
import { Callers, type CallEnd } from './callers.js';
import { FleetReplica, ReplicaGone } from './fleet.replica.js';
import { CLIENT_ID, REDIRECT_URI, type FleetWorld } from './fleet.world.js';
import { Judge } from './judge.js';
import { REPLICA_KINDS } from './replica.parts.js';
import { unseededNames } from './seeded.chance.js';
import { retryAfterMs, type Account, type Tenant } from './tenants.js';

const RESTARTED_AFTER_MS = 15 * SECOND_MS;
const START_AGAIN_AFTER_MS = 10 * SECOND_MS;
const SWEEP_EVERY_MS = 30 * MINUTE_MS;

/** Four replicas behind a load balancer, the tenants that call through it, and the people who reconnect. */
export class Fleet {
  readonly judge: Judge;
  readonly callers: Callers;
  readonly replicas: FleetReplica[] = [];
  private readonly byId = new Map<string, Account>();
  private readonly started = new Set<string>();
  private isOver = false;
  private starts = 0;

  constructor(
    readonly world: FleetWorld,
    readonly tenants: readonly Tenant[],
    undisturbedMs: ReadonlyMap<string, number> = new Map(),
  ) {
    this.judge = new Judge(world, undisturbedMs);
    this.callers = new Callers(world, () => this.ready);
  }

  get accounts(): readonly Account[] {
    return this.tenants.flatMap(({ accounts }) => accounts);
  }

  get ready(): readonly FleetReplica[] {
    return this.replicas.filter(({ isReady }) => isReady);
  }

  async begin(): Promise<void> {
    for (const slot of REPLICA_KINDS.keys()) await this.startReplica(slot);
    for (const account of this.accounts) await this.connect(account);
    for (const account of this.accounts) this.startJob(account);
    this.judge.begin();
    this.every(SWEEP_EVERY_MS, () => {
      void this.callers
        .next()
        ?.sweep()
        .catch(() => undefined);
    });
  }

  /** Jobs that are due from now on do not run any more. */
  endJobs(): void {
    this.isOver = true;
  }

  /** Ends what is alive. */
  end(): void {
    for (const replica of this.replicas) replica.kill();
  }

  /** Its callers are cut off; what it had claimed is held for as long as the lease lasts. */
  kill(replica: FleetReplica): void {
    if (!replica.isReady) return;
    const slot = this.replicas.indexOf(replica);
    const hit = new Set([...replica.waitedFor.keys()].flatMap((id) => this.byId.get(id)?.tenant ?? []));
    const { nowMs } = this.world.time;
    this.judge.faults.begin('kill', nowMs, hit, nowMs + LEASE_MS);
    this.world.note(`kill ${replica.name}, waited for by ${String(hit.size)}`);
    replica.kill();
    this.world.time.after(RESTARTED_AFTER_MS, () => void this.startReplica(slot));
  }

  /** One after another, each with its successor up before it ends. */
  async deploy(): Promise<void> {
    for (const slot of REPLICA_KINDS.keys()) {
      const old = this.replicas[slot]!;
      if (!old.isReady) continue;
      await this.startReplica(slot);
      this.world.note(`deployed ${old.name}`);
      await old.close();
    }
  }

  /** Its next call finds a dead access token. */
  expire(account: Account): void {
    account.grant.isAccessTokenAlive = false;
  }

  /** Runs the job now, outside of its rhythm. */
  runNow(account: Account): void {
    void this.runJob(account);
  }

  /** The user connects again some time after they were told, or would have found out. */
  private reconnectLater(account: Account, afterMs: number): void {
    this.world.time.after(afterMs, () => {
      if (account.deadSeenMs === null || this.isOver) return;
      if (!this.judge.isSettled(account)) this.reconnectLater(account, 5 * MINUTE_MS);
      else
        void this.connect(account).catch(() => {
          this.reconnectLater(account, MINUTE_MS);
        });
    });
  }

  /** The user connects (again): the grant is new, and so is its pair. */
  async connect(account: Account): Promise<void> {
    const { grant, ownerId } = account;
    const replica = this.callers.next();
    if (replica === undefined) throw new ReplicaGone();
    const pair = this.world.notion.renew(grant);
    const { generation } = grant;
    const result = await replica.whileAlive(
      account.id,
      replica.store.connect({
        ownerId,
        clientId: CLIENT_ID,
        redirectUri: REDIRECT_URI,
        reconnect: null,
        grant: {
          botId: grant.botId,
          workspaceId: grant.workspaceId,
          workspaceName: null,
          workspaceIcon: null,
          ownerKind: 'user',
          ownerUserId: grant.userId,
          duplicatedTemplateId: null,
        },
        pair,
      }),
    );
    if (!('authorization' in result)) throw new Error('The grant belongs to another owner.');
    grant.heldGeneration = generation;
    account.id = result.authorization.id;
    this.byId.set(account.id, account);
    this.judge.reconnect(account);
    this.world.note(`connected ${grant.botId}`);
  }

  private startJob(account: Account): void {
    const { time, random } = this.world;
    const { tenant } = account;
    if (this.started.has(account.grant.botId)) return;
    this.started.add(account.grant.botId);
    const run = () => {
      if (this.isOver) return;
      void this.runJob(account);
      time.after(tenant.periodMs, run);
    };
    time.after(random.whole(1, tenant.periodMs), run);
    const expire = () => {
      if (this.isOver) return;
      this.expire(account);
      time.after(tenant.tokenLifeMs * (0.5 + random.next()), expire);
    };
    time.after(random.whole(1, tenant.tokenLifeMs), expire);
  }

  private async runJob(account: Account): Promise<void> {
    if (account.isWaiting || account.id === '') return;
    account.isWaiting = true;
    const wait = this.judge.startWait(account);
    try {
      for (let failures = 1; !this.isOver; failures++) {
        const ends = await this.callers.callInParallel(account);
        if (ends.every((end) => end === 'served')) {
          this.judge.serve(wait);
          return;
        }
        if (ends.includes('reconnect') || !this.world.notion.isHealthy(account.grant)) {
          if (this.meetsDead(account, ends, failures)) return;
        }
        await this.world.time.sleep(retryAfterMs(failures));
      }
    } finally {
      this.judge.drop(wait);
      account.isWaiting = false;
    }
  }

  /** @returns whether the job gives up until its next time. */
  private meetsDead(account: Account, ends: readonly CallEnd[], failures: number): boolean {
    const isFirst = account.deadSeenMs === null;
    const isCertain = !account.grant.isAlive || ends.includes('reconnect');
    // A pair that is on its way is not lost yet.
    if (!isCertain && failures < 3) return false;
    this.judge.meetDead(account);
    if (isFirst) this.reconnectLater(account, this.world.random.whole(30 * MINUTE_MS, 90 * MINUTE_MS));
    return failures >= 3 || ends.includes('reconnect');
  }

  /** As a host does: a process that cannot start is started again after a while. */
  private async startReplica(slot: number): Promise<void> {
    for (;;) {
      this.starts += 1;
      const kind = REPLICA_KINDS[slot]!;
      const replica = new FleetReplica(`${kind}-${String(this.starts)}`, kind, this.world);
      replica.database.onDeath = () => {
        this.kill(replica);
      };
      const start = () =>
        replica.start((event) => {
          this.hear(event);
        });
      try {
        await this.world.time.hold(unseededNames(start));
        this.replicas[slot] = replica;
        return;
      } catch {
        replica.kill();
        await this.world.time.sleep(START_AGAIN_AFTER_MS);
      }
    }
  }

  private hear({ name, authorizationId, at }: NotionAuthEvent): void {
    const account = this.byId.get(authorizationId ?? '');
    if (name !== 'needs_reconnect' || account === undefined) return;
    const isFirst = account.deadSeenMs === null;
    this.judge.hear(account, at);
    if (isFirst && account.deadSeenMs !== null) {
      this.reconnectLater(account, this.world.random.whole(30 * MINUTE_MS, 90 * MINUTE_MS));
    }
  }

  private every(everyMs: number, act: () => void): void {
    const again = () => {
      if (this.isOver) return;
      act();
      this.world.time.after(everyMs, again);
    };
    this.world.time.after(everyMs, again);
  }
}
