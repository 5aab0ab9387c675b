import type { Fleet } from './fleet.js';
import type { Account, Tenant } from './tenants.js';

/** As many as one replica refreshes at once. */
export const CLAIMS_HELD = 8;

/** Tokens of customers that are not hit die, too, all along: theirs is the waiting that is judged. */
export async function stir(
  fleet: Fleet,
  hit: ReadonlySet<Tenant>,
  count: number,
  forMs: number,
): Promise<void> {
  const { time } = fleet.world;
  for (const account of pick(fleet, hit, count)) {
    await time.sleep(forMs / count);
    fleet.expire(account);
    fleet.runNow(account);
  }
  await time.sleep(forMs / count);
}

/** By chance, of those that are not hit. */
export function pick(fleet: Fleet, hit: ReadonlySet<Tenant>, count: number): Account[] {
  const usable = fleet.accounts.filter((account) => !hit.has(account.tenant) && isUsable(fleet, account));
  return usable.length === 0 ? [] : Array.from({ length: count }, () => fleet.world.random.one(usable));
}

/** Connected, and neither dead nor lost. */
export function isUsable({ world }: Fleet, { grant, deadSeenMs }: Account): boolean {
  return deadSeenMs === null && world.notion.isHealthy(grant);
}

/** One with as many people as a replica refreshes at once, most of them connected. */
export function companyOf(fleet: Fleet): Tenant {
  const companies = fleet.tenants.filter(({ accounts }) => accounts.length >= CLAIMS_HELD);
  const whole = companies.filter(
    ({ accounts }) => accounts.filter((account) => isUsable(fleet, account)).length >= CLAIMS_HELD,
  );
  return fleet.world.random.one(whole.length > 0 ? whole : companies);
}
