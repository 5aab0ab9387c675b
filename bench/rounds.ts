export type Call = () => Promise<unknown>;

/**
 * Calls per second of each variant, measured in turn within every round, so that whatever else the machine does
 * meets all of them alike. The first round warms up and is not counted.
 */
export async function inTurn<Name extends string>(
  variants: Readonly<Record<Name, Call>>,
  { rounds, calls, parallel }: { rounds: number; calls: number; parallel: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(variants) as Name[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const rate = await callsPerSecond(variants[name], calls, parallel);
      if (round > 0) rates[name].push(rate);
    }
  }
  return rates;
}

/** Median over the rounds of one rate by another of the same round. */
export function medianRatio(rates: readonly number[], others: readonly number[]): number {
  return median(rates.map((rate, round) => rate / others[round]!));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

export async function millisecondsOf(work: Call): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

export async function callsPerSecond(call: Call, calls: number, parallel: number): Promise<number> {
  let left = calls;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  const tookMs = await millisecondsOf(() => Promise.all(Array.from({ length: parallel }, worker)));
  return (calls / tookMs) * 1_000;
}
