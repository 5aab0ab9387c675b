import { MINUTE_MS, SECOND_MS } from '../../src/domain/duration.js';
import { SeededRandom } from '../harness/seeded.random.js';
import type { Violation } from './bounds.js';
import type { Fleet } from './fleet.js';
import { runFleet } from './fleet.run.js';
import { makeTenant } from './tenants.js';

const ITS_NAME = 'worst';
const HOURS = 0.4;
const OTHERS = 15;
/** Every other tenant's token dies so often, so that all of them are looked at in the short time. */
const OTHERS_EXPIRE_EVERY_MS = 20 * SECOND_MS;

/** What a tenant can do to itself, and so perhaps to others. */
export interface Genes {
  readonly accounts: number;
  readonly isOneWorkspace: boolean;
  readonly periodMs: number;
  readonly parallel: number;
  readonly tokenLifeMs: number;
  /** Between two of its people who remove the connection. */
  readonly leaveEveryMs: number;
  /** How many leave at the same time. */
  readonly leaveAtOnce: number;
  /** After which they connect again. */
  readonly comeBackMs: number;
  /** Beyond the usual time of its refreshes. */
  readonly slowMs: number;
}

type Range = readonly [from: number, to: number];

/** A replica makes eight refreshes at once, and a tenant with more slow ones of its own may fill it. */
const RANGES: Readonly<Record<Exclude<keyof Genes, 'isOneWorkspace'>, Range>> = {
  accounts: [1, 24],
  periodMs: [2 * SECOND_MS, 5 * MINUTE_MS],
  parallel: [1, 8],
  tokenLifeMs: [10 * SECOND_MS, 30 * MINUTE_MS],
  leaveEveryMs: [10 * SECOND_MS, 15 * MINUTE_MS],
  leaveAtOnce: [1, 24],
  comeBackMs: [5 * SECOND_MS, 20 * MINUTE_MS],
  slowMs: [0, 2 * SECOND_MS],
};

export interface WorstTenant {
  readonly genes: Genes;
  /** How long the tenant waits that it keeps waiting longest. */
  readonly longestMs: number;
  /** Of the bounds of others. */
  readonly violations: readonly Violation[];
}

/** Looks for the tenant that harms others most: at random first, then by changing the worst so far. */
export async function findWorstTenant(
  seed: number,
  candidates: number,
  onProgress: (tried: number, worst: WorstTenant) => void,
): Promise<WorstTenant> {
  const random = new SeededRandom(seed);
  let worst: WorstTenant | null = null;
  for (let tried = 1; tried <= candidates; tried++) {
    const genes: Genes =
      worst === null || tried <= candidates / 3 ? invent(random) : mutate(worst.genes, random);
    const found = await tryOut(genes, seed + tried);
    if (worst === null || harm(found) > harm(worst)) worst = found;
    onProgress(tried, worst);
  }
  return worst!;
}

function harm({ longestMs, violations }: WorstTenant): number {
  return longestMs + MINUTE_MS * violations.length;
}

async function tryOut(genes: Genes, seed: number): Promise<WorstTenant> {
  const { violations, longestMs } = await runFleet({
    seed,
    hours: HOURS,
    tenants: OTHERS,
    others: ({ notion }) => [makeTenant(notion, { name: ITS_NAME, ...genes })],
    faults: (fleet, endMs) => behave(fleet, genes, endMs),
  });
  const others = [...longestMs].filter(([name]) => name !== ITS_NAME).map(([, waitMs]) => waitMs);
  return {
    genes,
    longestMs: Math.max(...others),
    violations: violations.filter(({ tenant }) => !tenant.startsWith(ITS_NAME)),
  };
}

async function behave(fleet: Fleet, genes: Genes, endMs: number): Promise<void> {
  const { time, notion, random } = fleet.world;
  const own = fleet.tenants.find(({ name }) => name === ITS_NAME)!;
  const others = fleet.accounts.filter(({ tenant }) => tenant !== own);
  for (const { grant } of own.accounts) grant.slowMs = genes.slowMs;
  const expireOthers = () => {
    const account = random.one(others);
    fleet.expire(account);
    fleet.runNow(account);
    if (time.nowMs + MINUTE_MS < endMs) time.after(OTHERS_EXPIRE_EVERY_MS, expireOthers);
  };
  expireOthers();
  for (let turn = 0; time.nowMs + genes.leaveEveryMs + MINUTE_MS < endMs;) {
    for (let left = 0; left < Math.min(genes.leaveAtOnce, own.accounts.length); left++, turn++) {
      const account = own.accounts[turn % own.accounts.length]!;
      notion.revoke(account.grant);
      fleet.runNow(account);
      time.after(genes.comeBackMs, () => {
        if (!account.grant.isAlive) void fleet.connect(account).catch(() => undefined);
      });
    }
    await time.sleep(genes.leaveEveryMs);
  }
}

function invent(random: SeededRandom): Genes {
  const drawn = Object.entries(RANGES).map(([gene, range]) => [gene, draw(range, random)]);
  return {
    ...(Object.fromEntries(drawn) as Omit<Genes, 'isOneWorkspace'>),
    isOneWorkspace: random.chance(0.5),
  };
}

/** Each gene stays, moves a little, or is drawn again. */
function mutate(genes: Genes, random: SeededRandom): Genes {
  const changed = Object.entries(RANGES).map(([gene, range]) => {
    const value = genes[gene as keyof typeof RANGES];
    const chance = random.next();
    if (chance < 0.5) return [gene, value];
    const moved = chance < 0.8 ? Math.round(value * (0.7 + 0.6 * random.next())) : draw(range, random);
    return [gene, Math.min(range[1], Math.max(range[0], moved))];
  });
  const isOneWorkspace = random.chance(0.8) ? genes.isOneWorkspace : !genes.isOneWorkspace;
  return { ...(Object.fromEntries(changed) as Omit<Genes, 'isOneWorkspace'>), isOneWorkspace };
}

/** Evenly over the orders of magnitude. */
function draw([from, to]: Range, random: SeededRandom): number {
  const low = Math.log(from + 1);
  return Math.round(Math.exp(low + random.next() * (Math.log(to + 1) - low)) - 1);
}
