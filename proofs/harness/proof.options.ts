import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export const PROOF_SIZES = ['short', 'long'] as const;
export type ProofSize = (typeof PROOF_SIZES)[number];

export const ENGINES = ['postgres', 'mariadb', 'sqlite'] as const;
export type Engine = (typeof ENGINES)[number];

export interface ProofOptions {
  readonly size: ProofSize;
  readonly seed: number;
  /** Only this engine, where the proof knows several. */
  readonly engine: Engine | null;
  /** `npm run proof` only: the proofs to run, comma separated; empty for all of them. */
  readonly only: readonly string[];
  /** `npm run proof` only: how many proofs run at the same time; more than one wants `sharedMachine`. */
  readonly atOnce: number;
  /** Bounds of speed are told only: other work on the machine would decide about them. */
  readonly sharedMachine: boolean;
}

/** @throws Error in words for people when the command line cannot be understood. */
export function readOptions(commandLine: readonly string[] = process.argv.slice(2)): ProofOptions {
  const { values } = parseArgs({
    args: [...commandLine],
    options: {
      size: { type: 'string' },
      seed: { type: 'string' },
      engine: { type: 'string' },
      only: { type: 'string' },
      'at-once': { type: 'string' },
      'shared-machine': { type: 'boolean' },
    },
  });
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error('--seed takes a whole number.');
  const atOnce = Number(values['at-once'] ?? 1);
  if (!Number.isSafeInteger(atOnce) || atOnce < 1) throw new Error('--at-once takes a whole number from 1.');
  return {
    seed,
    size: oneOf('--size', PROOF_SIZES, values.size ?? 'short'),
    only: values.only?.split(',') ?? [],
    atOnce,
    sharedMachine: values['shared-machine'] ?? false,
    engine: values.engine === undefined ? null : oneOf('--engine', ENGINES, values.engine),
  };
}

function oneOf<T extends string>(option: string, known: readonly T[], given: string): T {
  const found = known.find((name) => name === given);
  if (found === undefined) throw new Error(`${option} takes ${known.join(' or ')}.`);
  return found;
}
