import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { SeededRandom } from '../harness/seeded.random.js';

/** The package that Nest takes names from. */
const DRAWS_NAMES = /node_modules[\\/]uid[\\/]/;

const real = { random: Math.random, randomUUID: crypto.randomUUID };

/** Until {@link freeChance}: `Math.random()` and `randomUUID()` of the whole process follow the seed. */
export function seedChance(random: SeededRandom): void {
  Math.random = () => random.next();
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => random.whole(0, 15).toString(16)).join('');
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  Object.assign(crypto, { randomUUID: uuid });
  syncBuiltinESMExports();
}

/**
 * For the start of an application: Nest names its modules by chance, with numbers drawn in advance for those of later
 * simulations, too. Those are not from the seed.
 */
export async function unseededNames<T>(work: () => Promise<T>): Promise<T> {
  const seeded = Math.random;
  Math.random = () => (DRAWS_NAMES.test(new Error().stack ?? '') ? real.random() : seeded());
  try {
    return await work();
  } finally {
    Math.random = seeded;
  }
}

export function freeChance(): void {
  Math.random = real.random;
  Object.assign(crypto, { randomUUID: real.randomUUID });
  syncBuiltinESMExports();
}
