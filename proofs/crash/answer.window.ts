import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Proof } from '../harness/proof.js';
import type { Stage } from '../harness/stage.js';
import { median, percentile } from '../harness/statistics.js';

/** About what one record of the journal takes. */
const RECORD = Buffer.alloc(400, 'x');

/** How long a pair exists in memory alone, with the journal; and how long this disk takes for the write in it. */
export async function measureWindow(proof: Proof, stage: Stage): Promise<void> {
  const journalFolder = stage.journalFolder();
  const replica = await stage.startReplica({ watched: true }, stage.replicaOptions({ journalFolder }));
  const grants = await stage.connect(4);
  const bareMs: number[] = [];
  for (let round = 0; round < proof.pick({ short: 40, long: 500 }); round++) {
    for (const { id } of grants) await replica.refresh(id);
    bareMs.push(...bareWrites(journalFolder, grants.length));
  }
  const { windowMs, parsedWindowMs } = await replica.stats();
  await replica.kill();
  const own = 'window from the parsed answer to its first durable byte, with the journal';
  tell(proof, `${own}, p50`, median(parsedWindowMs), 1);
  tell(proof, `${own}, p99`, percentile(parsedWindowMs, 0.99), 10);
  tell(proof, `${own}, max`, Math.max(...parsedWindowMs));
  tell(proof, 'the same from the first byte of the answer, p50', median(windowMs));
  tell(proof, 'the same from the first byte of the answer, p99', percentile(windowMs, 0.99));
  tell(proof, 'a bare write with fdatasync here and now, p50', median(bareMs));
  tell(proof, 'a bare write with fdatasync here and now, p99', percentile(bareMs, 0.99));
}

function bareWrites(folder: string, count: number): number[] {
  const descriptor = openSync(join(folder, 'bare'), 'a');
  const timesMs = Array.from({ length: count }, () => {
    const startedMs = performance.now();
    writeSync(descriptor, RECORD);
    fdatasyncSync(descriptor);
    return performance.now() - startedMs;
  });
  closeSync(descriptor);
  return timesMs;
}

function tell(proof: Proof, figure: string, value: number, below?: number): void {
  proof.figure({
    figure,
    value,
    unit: 'ms',
    bound: below === undefined ? undefined : { below },
    isSpeed: true,
  });
}
