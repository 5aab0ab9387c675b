import { SECOND_MS } from '../../src/domain/duration.js';
import {
  Faults,
  HEARD_WITHIN_MS,
  LEAST_UNDISTURBED_MS,
  MARKED_WITHIN_MS,
  type Violation,
  type ViolationKind,
} from './bounds.js';
import type { FleetWorld } from './fleet.world.js';
import type { Account, Tenant } from './tenants.js';

const LOOK_EVERY_MS = 10 * SECOND_MS;

interface Wait {
  readonly account: Account;
  readonly startedMs: number;
  /** Breakers that were not closed when it was looked at. */
  readonly breakers: Set<string>;
  isReported: boolean;
}

/** Holds every tenant's waits, and every dead grant, against the stated bounds. */
export class Judge {
  readonly faults = new Faults();
  readonly violations: Violation[] = [];
  /** The longest wait of each tenant. */
  readonly longestMs = new Map<string, number>();
  served = 0;
  deaths = 0;
  /** How long the slowest dead grant took from the first call that met it. */
  slowestMarkMs = 0;
  slowestHeardMs = 0;
  faultsCarriedOut = 0;
  mostMarkedByMistake = 0;
  /** The longest wait as a share of its bound. */
  longestShare = 0;
  private breakers: readonly string[] = [];
  private wasFailover = false;
  private readonly waits = new Set<Wait>();
  private readonly dead = new Set<Account>();

  constructor(
    private readonly world: FleetWorld,
    private readonly undisturbedMs: ReadonlyMap<string, number>,
  ) {}

  begin(): void {
    const look = () => {
      void this.look().finally(() => {
        this.world.time.after(LOOK_EVERY_MS, look);
      });
    };
    this.world.time.after(LOOK_EVERY_MS, look);
  }

  startWait(account: Account): Wait {
    const wait = { account, startedMs: this.nowMs, breakers: new Set(this.breakers), isReported: false };
    this.waits.add(wait);
    return wait;
  }

  serve(wait: Wait): void {
    this.waits.delete(wait);
    this.served += 1;
    const { name } = wait.account.tenant;
    const tookMs = this.nowMs - wait.startedMs;
    this.longestMs.set(name, Math.max(this.longestMs.get(name) ?? 0, tookMs));
    if (tookMs > 0) this.world.note(`served ${wait.account.grant.botId} after ${String(tookMs)}`);
    this.holdAgainst(wait, 'was served late');
  }

  drop(wait: Wait): void {
    this.waits.delete(wait);
  }

  /** A job met a dead grant, or the module says that this one is dead. */
  meetDead(account: Account): void {
    if (account.deadSeenMs !== null) return;
    account.deadSeenMs = this.nowMs;
    this.deaths += 1;
    this.dead.add(account);
  }

  reconnect(account: Account): void {
    Object.assign(account, {
      deadSeenMs: null,
      markedAtMs: null,
      heardAtMs: null,
      connectedAtMs: this.nowMs,
    });
    account.reported.clear();
    this.dead.delete(account);
  }

  hear(account: Account, at: Date): void {
    this.world.note(`heard ${account.grant.botId}`);
    const raisedAtMs = at.getTime() - (this.world.time.epochMs - this.nowMs);
    if (raisedAtMs < account.connectedAtMs - 20 * SECOND_MS) return;
    account.heardAtMs ??= this.nowMs;
    this.meetDead(account);
    const recent = this.faults.during(raisedAtMs - 600_000, this.nowMs);
    const isMistaken = recent.includes('rejects_all') || recent.includes('rejects_refreshes');
    if (this.world.notion.isHealthy(account.grant) && !isMistaken) {
      this.report('other', account, 'must reconnect although its grant is alive');
    }
  }

  /** Whether nothing more is expected about its death. */
  isSettled(account: Account): boolean {
    return account.heardAtMs !== null || account.reported.size > 0;
  }

  report(kind: ViolationKind, about: Account | null, what: string, sinceMs = this.nowMs): void {
    if (about?.reported.has(what) === true) return;
    about?.reported.add(what);
    const tenant = about === null ? 'fleet' : `${about.tenant.name} (${about.grant.botId})`;
    const faults = this.faults.during(sinceMs, this.nowMs);
    this.violations.push({ kind, atMs: this.nowMs, tenant, what, faults });
    this.world.note(`violation ${kind} ${tenant} ${what}`);
  }

  undisturbedOf({ name }: Tenant): number {
    return Math.max(LEAST_UNDISTURBED_MS, this.undisturbedMs.get(name) ?? 0);
  }

  private get nowMs(): number {
    return this.world.time.nowMs;
  }

  private async look(): Promise<void> {
    await this.lookAtBreakers();
    const waiting = [...this.waits].filter(({ startedMs }) => this.nowMs - startedMs > LEAST_UNDISTURBED_MS);
    for (const wait of waiting) this.holdAgainst(wait, 'is not served');
    if (this.dead.size > 0) await this.lookAtDead();
  }

  private async lookAtBreakers(): Promise<void> {
    const rows = await this.world.server.look<{ gate: string; left: number | null }>(
      `SELECT gate, closed_until - ${this.world.server.dialect.now} AS left FROM notion_refresh_gate
       WHERE closed_until IS NOT NULL ORDER BY gate`,
    );
    // One that is probed is not closed before a probe succeeds; the others are by themselves.
    const open = rows.filter(
      ({ gate, left }) => Number(left) > 0 || gate === 'mass_dead' || gate === 'configuration',
    );
    this.breakers = open.map(({ gate }) => gate);
    for (const wait of this.waits) for (const gate of this.breakers) wait.breakers.add(gate);
    const isFailover = this.breakers.includes('failover');
    if (isFailover && !this.wasFailover) {
      this.report(
        'failover',
        null,
        'refreshes are held back as after a failover, and the server never changed',
      );
    }
    this.wasFailover = isFailover;
  }

  private holdAgainst(wait: Wait, what: string): void {
    const { account, startedMs } = wait;
    const undisturbedMs = this.undisturbedOf(account.tenant);
    const byMs = this.faults.servedBy(account.tenant, startedMs, undisturbedMs);
    if (this.world.notion.isHealthy(account.grant)) {
      this.longestShare = Math.max(this.longestShare, (this.nowMs - startedMs) / (byMs - startedMs));
    }
    if (wait.isReported || this.nowMs <= byMs || !this.world.notion.isHealthy(account.grant)) return;
    wait.isReported = true;
    const seconds = (ms: number) => `${(ms / SECOND_MS).toFixed(1)} s`;
    const faults = this.faults.during(startedMs, this.nowMs);
    const kind = kindOf(wait.breakers, faults);
    const bound = seconds(byMs - startedMs);
    const breakers = wait.breakers.size === 0 ? '' : `, breakers ${[...wait.breakers].join(' ')}`;
    this.violations.push({
      kind,
      atMs: this.nowMs,
      tenant: `${account.tenant.name} (${account.grant.botId})`,
      what: `${what}: ${seconds(this.nowMs - startedMs)}, bound ${bound}${breakers}`,
      faults,
    });
    this.world.note(`violation ${kind} ${account.grant.botId} ${what}`);
  }

  private async lookAtDead(): Promise<void> {
    const rows = await this.world.server.look<{ id: string }>(
      `SELECT id FROM notion_authorization WHERE status <> 'active'`,
    );
    const marked = new Set(rows.map(({ id }) => id));
    for (const account of this.dead) this.lookAt(account, marked.has(account.id));
  }

  private lookAt(account: Account, isMarked: boolean): void {
    const seenMs = account.deadSeenMs ?? this.nowMs;
    if (this.world.notion.isHealthy(account.grant) && !isMarked) {
      this.dead.delete(account);
      account.deadSeenMs = null;
      return;
    }
    if (isMarked) account.markedAtMs ??= this.nowMs;
    const { markedAtMs, heardAtMs } = account;
    if (markedAtMs === null) {
      this.slowestMarkMs = Math.max(this.slowestMarkMs, this.nowMs - seenMs);
      if (this.nowMs <= this.faults.happensBy(seenMs, MARKED_WITHIN_MS)) return;
      this.report('mass_revocation', account, 'is dead and not marked', seenMs);
      return;
    }
    this.slowestMarkMs = Math.max(this.slowestMarkMs, markedAtMs - seenMs);
    if (heardAtMs !== null) {
      this.slowestHeardMs = Math.max(this.slowestHeardMs, heardAtMs - markedAtMs);
      this.dead.delete(account);
    } else if (this.nowMs > this.faults.happensBy(markedAtMs, HEARD_WITHIN_MS)) {
      this.report('events', account, 'is marked, and no listener has heard of it', markedAtMs);
    }
  }
}

function kindOf(breakers: ReadonlySet<string>, faults: readonly string[]): ViolationKind {
  if (breakers.has('failover')) return 'failover';
  if (breakers.has('mass_dead')) return 'mass_revocation';
  return faults.some((kind) => kind === 'kill' || kind === 'slow_tenant') ? 'slots' : 'other';
}
