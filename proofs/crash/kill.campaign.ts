import type { Proof } from '../harness/proof.js';
import type { Grant, Stage } from '../harness/stage.js';
import type { SeededRandom } from '../harness/seeded.random.js';
import { KillLane } from './kill.lane.js';
import { KillLog, type KillPlace } from './kill.log.js';

export type KillCounts = Readonly<Partial<Record<KillPlace, number>>>;

export interface Campaign {
  readonly withJournal: KillCounts;
  readonly withoutJournal: KillCounts;
  /** Replicas that are killed at the same time, for each of the two. */
  readonly lanes: number;
}

export interface CampaignResult {
  readonly log: KillLog;
  readonly grants: readonly Grant[];
}

/** More than any plan can lose, and some to come back to. */
const SPARE_GRANTS = 8;
const GRANTS_PER_KILL = 1.2;

/** Kills replicas with and without a journal, side by side, as often as the counts say. */
export async function killAsPlanned(proof: Proof, stage: Stage, campaign: Campaign): Promise<CampaignResult> {
  const log = new KillLog();
  const bystander = await stage.startReplica();
  const all: Grant[] = [];
  const plans = [
    ...dealt(proof.random, campaign.withJournal, campaign.lanes).map((plan) => ({ plan, journal: true })),
    ...dealt(proof.random, campaign.withoutJournal, campaign.lanes).map((plan) => ({ plan, journal: false })),
  ].filter(({ plan }) => plan.length > 0);
  const planned = plans.reduce((sum, { plan }) => sum + plan.length, 0);
  await stage.readRows(async (rows) => {
    const told = setInterval(() => {
      proof.progress(`${log.count} of ${planned} kills`);
    }, 1_000);
    const work = async ({ plan, journal }: (typeof plans)[number]) => {
      const grants = await stage.connect(SPARE_GRANTS + Math.ceil(plan.length * GRANTS_PER_KILL));
      all.push(...grants);
      const journalFolder = journal ? stage.journalFolder() : null;
      const lane = await KillLane.open({ proof, stage, rows, log, bystander, journalFolder }, grants);
      await lane.work(plan);
      await lane.close();
    };
    await Promise.all(plans.map(work)).finally(() => {
      clearInterval(told);
    });
  });
  await bystander.kill();
  return { log, grants: all };
}

/** The counted places in a random order, in so many hands. */
function dealt(random: SeededRandom, counts: KillCounts, hands: number): KillPlace[][] {
  const places = (Object.entries(counts) as [KillPlace, number][]).flatMap(([place, count]) =>
    Array.from({ length: count }, () => ({ place, order: random.next() })),
  );
  const mixed = places.sort((one, other) => one.order - other.order).map(({ place }) => place);
  return Array.from({ length: hands }, (_, hand) => mixed.filter((_place, at) => at % hands === hand));
}
