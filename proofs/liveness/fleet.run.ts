import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/duration.js';
import type { Violation } from './bounds.js';
import { carryOutFaults } from './fault.plan.js';
import { Fleet } from './fleet.js';
import { FleetWorld } from './fleet.world.js';
import { measureGrowth, type Growth } from './growth.js';
import { makeTenant, usualShape, type Tenant } from './tenants.js';

/** Longer than anything waits that a job set off. */
const SETTLE_MS = 20 * MINUTE_MS;
const STEP_MS = 10 * MINUTE_MS;
/** A run in which so much goes wrong has shown it. */
const ENOUGH_VIOLATIONS = 150;

export interface RunPlan {
  readonly seed: number;
  readonly hours: number;
  readonly tenants: number;
  /** @defaultValue the plan of all faults */
  readonly faults?: (fleet: Fleet, endMs: number) => Promise<void>;
  /** @defaultValue only the usual tenants */
  readonly others?: (world: FleetWorld) => readonly Tenant[];
  readonly undisturbedMs?: ReadonlyMap<string, number>;
  /** Called with the hours that are over. */
  readonly onProgress?: (hours: number, violations: number) => void;
}

export interface RunReport {
  readonly digest: string;
  readonly violations: readonly Violation[];
  readonly growth: readonly Growth[];
  /** By tenant. */
  readonly longestMs: ReadonlyMap<string, number>;
  readonly longestShare: number;
  readonly accounts: number;
  readonly served: number;
  readonly deaths: number;
  readonly faults: number;
  readonly kills: number;
  readonly rotations: number;
  readonly replays: number;
  readonly slowestMarkMs: number;
  readonly slowestHeardMs: number;
  readonly mostMarkedByMistake: number;
  /** Less than was planned, when too much went wrong. */
  readonly hours: number;
}

/** One run of a fleet of four replicas in virtual time: the same for the same plan. */
export async function runFleet(plan: RunPlan): Promise<RunReport> {
  const world = await FleetWorld.open(plan.seed);
  try {
    return await run(world, plan);
  } finally {
    await world.close();
  }
}

async function run(world: FleetWorld, plan: RunPlan): Promise<RunReport> {
  const usual = Array.from({ length: plan.tenants }, (_, number) =>
    makeTenant(world.notion, usualShape(world.random, number)),
  );
  const fleet = new Fleet(world, [...usual, ...(plan.others?.(world) ?? [])], plan.undisturbedMs);
  const begun = fleet.begin();
  await world.time.runUntil(SECOND_MS);
  await begun;
  const endMs = plan.hours * HOUR_MS;
  const broken: Error[] = [];
  (plan.faults ?? carryOutFaults)(fleet, endMs).catch((error: unknown) => {
    broken.push(error as Error);
  });
  const { judge } = fleet;
  while (world.time.nowMs < endMs && judge.violations.length < ENOUGH_VIOLATIONS) {
    await world.time.runUntil(Math.min(endMs, world.time.nowMs + STEP_MS));
    for (const error of broken) throw error;
    plan.onProgress?.(world.time.nowMs / HOUR_MS, judge.violations.length);
  }
  const hours = world.time.nowMs / HOUR_MS;
  const isWhole = hours >= plan.hours;
  fleet.endJobs();
  if (isWhole) await world.time.runUntil(world.time.nowMs + SETTLE_MS);
  const report = {
    digest: world.digest(),
    violations: judge.violations,
    growth: isWhole ? await measureGrowth(fleet) : [],
    longestMs: judge.longestMs,
    longestShare: judge.longestShare,
    accounts: fleet.accounts.length,
    served: judge.served,
    deaths: judge.deaths,
    faults: judge.faultsCarriedOut,
    kills: judge.faults.all.filter(({ kind }) => kind === 'kill').length,
    rotations: world.notion.rotations,
    replays: world.notion.replays,
    slowestMarkMs: judge.slowestMarkMs,
    slowestHeardMs: judge.slowestHeardMs,
    mostMarkedByMistake: judge.mostMarkedByMistake,
    hours,
  };
  fleet.end();
  return report;
}

export function noFaults(): Promise<void> {
  return Promise.resolve();
}
