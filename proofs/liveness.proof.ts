import 'reflect-metadata';
import { SECOND_MS } from '../src/domain/duration.js';
import { prove, type Proof } from './harness/proof.js';
import { describeViolation, VIOLATION_KINDS, type Violation, type ViolationKind } from './liveness/bounds.js';
import { noFaults, runFleet, type RunReport } from './liveness/fleet.run.js';
import { findWorstTenant } from './liveness/worst.tenant.js';

const TENANTS = 50;
const HOURS = 24;
/** Enough for the first fault. */
const REPEATED_HOURS = 0.25;
/** Of a tenant that nothing disturbs, the longest wait. */
const UNDISTURBED_HOURS = 1;
const VIOLATIONS_TOLD = 12;

const HEADINGS: Readonly<Record<ViolationKind, string>> = {
  slots: 'tenants that waited for claims held elsewhere',
  mass_revocation: 'tenants that waited for the mass-revocation breaker, or were marked before it',
  events: 'dead grants that no listener heard of',
  failover: 'waits for a failover that was none',
  other: 'other bounds missed',
};

await prove('liveness', async (proof) => {
  // Every replica has its own listeners for the end of the process, and this process is all of them.
  process.setMaxListeners(0);
  for (let run = 0; run < proof.pick({ short: 1, long: 20 }); run++) await proveRun(proof, proof.seed + run);
  await proveRepeatable(proof);
  await proveWorstTenant(proof);
});

/** A day of a fleet with all its faults, every tenant held against its own bounds. */
async function proveRun(proof: Proof, seed: number): Promise<void> {
  const name = `seed ${String(seed)}`;
  const undisturbed = await runFleet({ seed, hours: UNDISTURBED_HOURS, tenants: TENANTS, faults: noFaults });
  const report = await runFleet({
    seed,
    hours: HOURS,
    tenants: TENANTS,
    undisturbedMs: undisturbed.longestMs,
    onProgress: (hours, violations) => {
      proof.progress(`${name}: ${hours.toFixed(1)} of ${String(HOURS)} h, ${String(violations)} violations`);
    },
  });
  tell(proof, report.violations);
  proof.figure({
    figure: `${name}: simulated hours`,
    value: report.hours,
    unit: 'h',
    bound: { equals: HOURS },
  });
  for (const kind of VIOLATION_KINDS) {
    const value = report.violations.filter((violation) => violation.kind === kind).length;
    proof.figure({ figure: `${name}: ${HEADINGS[kind]}`, value, bound: { equals: 0 } });
  }
  proof.figure({
    figure: `${name}: longest wait, of its bound`,
    value: report.longestShare,
    bound: { atMost: 1 },
  });
  proof.figure({ figure: `${name}: spent tokens presented`, value: report.replays, bound: { equals: 0 } });
  for (const { what, value, atMost } of report.growth) {
    proof.figure({ figure: `${name}: left at the end, ${what}`, value, bound: { atMost } });
  }
  describe(proof, name, report);
}

function describe(proof: Proof, name: string, report: RunReport): void {
  const seconds = (ms: number) => ms / SECOND_MS;
  const told: readonly (readonly [string, number, string])[] = [
    ['authorizations', report.accounts, 'count'],
    ['jobs served', report.served, 'count'],
    ['pairs renewed', report.rotations, 'count'],
    ['faults', report.faults, 'count'],
    ['replicas killed', report.kills, 'count'],
    ['dead grants', report.deaths, 'count'],
    ['slowest to be marked', seconds(report.slowestMarkMs), 's'],
    ['slowest to be heard of afterwards', seconds(report.slowestHeardMs), 's'],
    ['customers marked by a mistake of Notion', report.mostMarkedByMistake, 'count'],
  ];
  for (const [what, value, unit] of told) proof.figure({ figure: `${name}: ${what}`, value, unit });
  proof.say(`${name}: trace ${report.digest}`);
}

/** The same seed is the same run, to the last event. */
async function proveRepeatable(proof: Proof): Promise<void> {
  const plan = { seed: proof.seed, hours: REPEATED_HOURS, tenants: TENANTS };
  const digests = [(await runFleet(plan)).digest, (await runFleet(plan)).digest];
  proof.say(`the same seed twice: traces ${digests.join(' and ')}`);
  const different = new Set(digests).size - 1;
  proof.figure({ figure: 'the same seed twice, traces that differ', value: different, bound: { equals: 0 } });
}

/** Nothing that one tenant does makes another wait beyond its bound. */
async function proveWorstTenant(proof: Proof): Promise<void> {
  const candidates = proof.pick({ short: 10, long: 200 });
  const worst = await findWorstTenant(proof.seed, candidates, (tried, { longestMs }) => {
    proof.progress(
      `worst tenant: ${String(tried)} of ${String(candidates)}, another waits ${seconds(longestMs)}`,
    );
  });
  proof.say(`worst tenant of ${String(candidates)}: ${JSON.stringify(worst.genes)}`);
  tell(proof, worst.violations);
  const figure = 'beside the worst tenant found';
  proof.figure({
    figure: `${figure}: longest wait of another`,
    value: worst.longestMs / SECOND_MS,
    unit: 's',
  });
  proof.figure({ figure: `${figure}: bounds missed`, value: worst.violations.length, bound: { equals: 0 } });
}

function seconds(ms: number): string {
  return `${(ms / SECOND_MS).toFixed(1)} s`;
}

/** The first of each kind: what follows is mostly the same. */
function tell(proof: Proof, violations: readonly Violation[]): void {
  for (const kind of VIOLATION_KINDS) {
    const some = violations.filter((violation) => violation.kind === kind);
    for (const one of some.slice(0, VIOLATIONS_TOLD)) proof.say(describeViolation(one));
    if (some.length > VIOLATIONS_TOLD) proof.say(`${kind}: ${String(some.length - VIOLATIONS_TOLD)} more`);
  }
}
