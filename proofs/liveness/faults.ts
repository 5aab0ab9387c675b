import { MINUTE_MS, SECOND_MS } from '../../src/domain/duration.js';
import { LEASE_MS } from './bounds.js';
import type { CommitFault } from './replica.database.js';
import type { Fleet } from './fleet.js';
import type { FleetReplica } from './fleet.replica.js';
import { CLAIMS_HELD, companyOf, isUsable, pick, stir } from './stir.js';

/** `refresh.massDeadMinimum`: the one that makes it so many trips the breaker, and is not marked. */
const MOST_MARKED_BY_MISTAKE = 5;

type Act = (fleet: Fleet) => Promise<void>;

/** What goes wrong, each of them with others' calls beside it. The first four come first, alone. */
export const FAULTS: Readonly<Record<string, Act>> = {
  kill: killWithClaims,
  slow_tenant: slowTenant,
  shortage,
  leaving,
  leaving_in_rhythm: leavingInRhythm,
  rejects_all: (fleet) => rejectsByMistake(fleet, 'rejects_all', 10 * MINUTE_MS),
  rejects_refreshes: (fleet) => rejectsByMistake(fleet, 'rejects_refreshes', 20 * MINUTE_MS),
  leaving_together: leavingTogether,
  rate_limited: rateLimited,
  slow: slowNotion,
  refused: (fleet) => notionDown(fleet, 'refused', fleet.world.random.whole(30, 150) * SECOND_MS),
  unavailable: (fleet) => notionDown(fleet, 'unavailable', fleet.world.random.whole(30, 180) * SECOND_MS),
  restart,
  kill_at_commit: killAtCommit,
  clock_jump: clockJump,
  deployment: (fleet) => fleet.deploy(),
};

/** A replica dies with as many refreshes under way as it makes; those customers go on calling. */
async function killWithClaims(fleet: Fleet): Promise<void> {
  const { time } = fleet.world;
  const company = companyOf(fleet);
  const victim = fleet.world.random.one(fleet.ready);
  const accounts = company.accounts.filter((account) => isUsable(fleet, account)).slice(0, CLAIMS_HELD);
  const fault = fleet.judge.faults.begin('kill', time.nowMs, new Set([company]));
  for (const account of accounts) {
    account.grant.slowMs = 25 * SECOND_MS;
    fleet.expire(account);
    void fleet.callers.callOn(victim, account).catch(() => undefined);
  }
  await time.sleep(2 * SECOND_MS);
  fleet.kill(victim);
  for (const { grant } of accounts) grant.slowMs = 0;
  fault.endMs = time.nowMs + LEASE_MS;
  // Each of their jobs calls in several ways at once, so that every replica that is left has them waiting.
  const usual = company.parallel;
  company.parallel = 2 * fleet.replicas.length;
  for (const account of accounts) fleet.runNow(account);
  await stir(fleet, new Set([company]), 12, LEASE_MS);
  company.parallel = usual;
}

/** Refreshes of one customer take very long, and all of its jobs wait for them. */
async function slowTenant(fleet: Fleet): Promise<void> {
  const { time } = fleet.world;
  const company = companyOf(fleet);
  const usual = company.parallel;
  const fault = fleet.judge.faults.begin('slow_tenant', time.nowMs, new Set([company]));
  company.parallel = 2 * fleet.replicas.length;
  const accounts = company.accounts.slice(0, CLAIMS_HELD);
  for (const { grant } of accounts) grant.slowMs = 25 * SECOND_MS;
  for (let round = 0; round < 3; round++) {
    for (const account of accounts) {
      fleet.expire(account);
      fleet.runNow(account);
    }
    await stir(fleet, new Set([company]), 6, 60 * SECOND_MS);
  }
  for (const { grant } of accounts) grant.slowMs = 0;
  company.parallel = usual;
  fault.endMs = time.nowMs + 30 * SECOND_MS;
}

/** The database has too few connections for a while: new ones are refused, and statements time out. */
async function shortage(fleet: Fleet): Promise<void> {
  const { server, time, random } = fleet.world;
  const fault = fleet.judge.faults.begin('shortage', time.nowMs, 'everybody');
  breakConnections(fleet);
  server.refusedShare = 0.3 + 0.5 * random.next();
  for (let part = 0; part < 4; part++) {
    server.cancelsIdentity = part % 2 === 1;
    await stir(fleet, new Set(), 4, random.whole(10, 40) * SECOND_MS);
  }
  server.refusedShare = 0;
  server.cancelsIdentity = false;
  fault.endMs = time.nowMs;
  await stir(fleet, new Set(), 8, 2 * MINUTE_MS);
}

/** One customer's administrator removes the connection for all of its people. */
async function leaving(fleet: Fleet): Promise<void> {
  const company = companyOf(fleet);
  for (const { grant } of company.accounts) fleet.world.notion.revoke(grant);
  // Its jobs find out one after another, and go on at their own rhythm.
  for (const account of company.accounts) {
    fleet.runNow(account);
    await fleet.world.time.sleep(2 * SECOND_MS);
  }
  await stir(fleet, new Set([company]), 10, 2 * MINUTE_MS);
  await stir(fleet, new Set([company]), 8, 8 * MINUTE_MS);
}

/** The same, one person after another, each just before the next job; jobs go on at a rhythm of a minute. */
async function leavingInRhythm(fleet: Fleet): Promise<void> {
  const { notion, time } = fleet.world;
  const company = companyOf(fleet);
  for (const account of company.accounts) {
    notion.revoke(account.grant);
    for (const other of company.accounts) fleet.runNow(other);
    await stir(fleet, new Set([company]), 2, MINUTE_MS);
  }
  await time.sleep(SECOND_MS);
}

/** Notion calls every grant dead, by mistake, after ordinary traffic, for longer than every tenant needs to probe. */
async function rejectsByMistake(
  fleet: Fleet,
  mode: 'rejects_all' | 'rejects_refreshes',
  forMs: number,
): Promise<void> {
  const { notion, server, time } = fleet.world;
  await stir(fleet, new Set(), 30, 2 * MINUTE_MS);
  const before = await markedTenants(fleet);
  const fault = fleet.judge.faults.begin(mode, time.nowMs, 'everybody');
  notion.mode = mode;
  await stir(fleet, new Set(), 45, forMs);
  notion.mode = 'up';
  fault.endMs = time.nowMs;
  await stir(fleet, new Set(), 10, 2 * MINUTE_MS);
  const marked = [...(await markedTenants(fleet))].filter((name) => !before.has(name)).length;
  fleet.world.note(`marked by mistake ${String(marked)}`);
  fleet.judge.mostMarkedByMistake = Math.max(fleet.judge.mostMarkedByMistake, marked);
  if (marked > MOST_MARKED_BY_MISTAKE) {
    const what = `${String(marked)} customers were marked by mistake, bound ${String(MOST_MARKED_BY_MISTAKE)}`;
    fleet.judge.report('mass_revocation', null, what, fault.startMs);
  }

  async function markedTenants({ tenants }: Fleet): Promise<Set<string>> {
    const rows = await server.look<{ id: string }>(
      `SELECT id FROM notion_authorization WHERE status = 'needs_reconnect'`,
    );
    const ids = new Set(rows.map(({ id }) => id));
    return new Set(
      tenants
        .filter(({ accounts }) => accounts.some(({ id, grant }) => grant.isAlive && ids.has(id)))
        .map(({ name }) => name),
    );
  }
}

/** More customers leave at once than the breaker takes for a coincidence. */
async function leavingTogether(fleet: Fleet): Promise<void> {
  const { notion, random, time } = fleet.world;
  const leaving = new Set(Array.from({ length: 7 }, () => random.one(fleet.tenants)));
  const fault = fleet.judge.faults.begin('leaving_together', time.nowMs, 'everybody');
  for (const { accounts } of leaving) for (const { grant } of accounts) notion.revoke(grant);
  for (const { accounts } of leaving) for (const account of accounts) fleet.runNow(account);
  await stir(fleet, leaving, 10, 5 * MINUTE_MS);
  fault.endMs = time.nowMs + 10 * MINUTE_MS;
}

async function rateLimited(fleet: Fleet): Promise<void> {
  const { notion, random, time } = fleet.world;
  const fault = fleet.judge.faults.begin('rate_limited', time.nowMs, 'everybody');
  const forMs = random.whole(2, 180) * SECOND_MS;
  notion.rateLimitedUntilMs = time.nowMs + forMs;
  await stir(fleet, new Set(), 8, forMs);
  fault.endMs = time.nowMs;
}

async function slowNotion(fleet: Fleet): Promise<void> {
  const { random, time } = fleet.world;
  const fault = fleet.judge.faults.begin('slow', time.nowMs, 'everybody');
  for (const { grant } of fleet.accounts) grant.slowMs = random.whole(5, 20) * SECOND_MS;
  await stir(fleet, new Set(), 20, 5 * MINUTE_MS);
  for (const { grant } of fleet.accounts) grant.slowMs = 0;
  fault.endMs = time.nowMs + 20 * SECOND_MS;
}

async function notionDown(fleet: Fleet, mode: 'refused' | 'unavailable', forMs: number): Promise<void> {
  const { notion, time } = fleet.world;
  const fault = fleet.judge.faults.begin(mode, time.nowMs, 'everybody');
  notion.mode = mode;
  await stir(fleet, new Set(), 8, forMs);
  notion.mode = 'up';
  fault.endMs = time.nowMs;
  await stir(fleet, new Set(), 4, MINUTE_MS);
}

/** The database restarts under load: commits break, sessions are gone, for a while it does not listen. */
async function restart(fleet: Fleet): Promise<void> {
  const { server, random, time } = fleet.world;
  const fault = fleet.judge.faults.begin('restart', time.nowMs, 'everybody');
  for (const { database } of fleet.ready) database.commitFault = random.one(['break_before', 'break_after']);
  await stir(fleet, new Set(), 8, 5 * SECOND_MS);
  breakConnections(fleet);
  server.isDown = true;
  await stir(fleet, new Set(), 4, random.whole(2, 60) * SECOND_MS);
  server.isDown = false;
  breakConnections(fleet);
  fault.endMs = time.nowMs;
  await stir(fleet, new Set(), 4, MINUTE_MS);
}

/** A replica dies at a commit, which is made or not. */
async function killAtCommit(fleet: Fleet): Promise<void> {
  const { random } = fleet.world;
  const victim: FleetReplica = random.one(fleet.ready);
  const faults: readonly CommitFault[] = ['kill_before', 'kill_after'];
  for (const account of pick(fleet, new Set(), 4)) {
    fleet.expire(account);
    void fleet.callers.callOn(victim, account).catch(() => undefined);
  }
  victim.database.commitFault = random.one(faults);
  await stir(fleet, new Set(), 8, 2 * MINUTE_MS);
}

/** Wall clocks of machines jump by an hour, which must not matter; the database's by some seconds. */
async function clockJump(fleet: Fleet): Promise<void> {
  const { server, random, time } = fleet.world;
  for (const { clock } of fleet.ready) clock.offsetMs = random.whole(-60, 60) * MINUTE_MS;
  const fault = fleet.judge.faults.begin('clock_jump', time.nowMs, 'everybody', time.nowMs + 8 * SECOND_MS);
  await stir(fleet, new Set(), 4, 5 * SECOND_MS);
  server.clockOffsetMs = random.whole(-8, 8) * SECOND_MS;
  await stir(fleet, new Set(), 8, MINUTE_MS);
  fault.endMs = Math.max(fault.endMs, fault.startMs + 13 * SECOND_MS);
}

function breakConnections(fleet: Fleet): void {
  fleet.world.server.restart();
  for (const { database } of fleet.ready) database.hearOfRestart();
}
