import { MINUTE_MS } from '../../src/domain/duration.js';
import { FAULTS } from './faults.js';
import type { Fleet } from './fleet.js';

/** Before the first fault, and at the end without any. */
export const QUIET_MS = 5 * MINUTE_MS;
const FIRST_SLOT_MS = 15 * MINUTE_MS;
const SLOT_MS = 40 * MINUTE_MS;
/** The first ones come alone, in this order, before any of the others could hide what they do. */
const FIRST = ['kill', 'slow_tenant', 'shortage', 'leaving', 'rejects_all', 'rejects_refreshes'];

/** One fault after another until the end, all of them before one comes again; every third slot has two at once. */
export async function carryOutFaults(fleet: Fleet, endMs: number): Promise<void> {
  const { time, random } = fleet.world;
  await time.sleep(QUIET_MS);
  let left = [...FIRST, ...shuffled(Object.keys(FAULTS).filter((kind) => !FIRST.includes(kind)))];
  for (let slot = 0; time.nowMs + SLOT_MS + 2 * QUIET_MS < endMs; slot++) {
    const startedMs = time.nowMs;
    const isDouble = slot >= 2 * FIRST.length && slot % 3 === 0;
    const kinds = left.splice(0, isDouble ? 2 : 1);
    if (left.length === 0) left = shuffled(Object.keys(FAULTS));
    await Promise.all(kinds.map((kind) => begin(fleet, kind)));
    const slotMs = slot < FIRST.length ? FIRST_SLOT_MS : SLOT_MS;
    await time.sleep(Math.max(MINUTE_MS, slotMs - (time.nowMs - startedMs)));
  }

  function shuffled(kinds: string[]): string[] {
    return kinds
      .map((kind) => ({ kind, place: random.next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ kind }) => kind);
  }
}

async function begin(fleet: Fleet, kind: string): Promise<void> {
  // Nothing to break while everything is down.
  if (fleet.ready.length === 0) return;
  fleet.world.note(`fault ${kind}`);
  await FAULTS[kind]!(fleet);
  fleet.judge.faultsCarriedOut += 1;
}
