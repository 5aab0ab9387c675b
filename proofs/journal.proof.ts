import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { prove, type Proof } from './harness/proof.js';
import { DiskEpisode, EpisodeClock } from './journal/disk.episode.js';
import { FaultyDisk } from './journal/faulty.disk.js';
import { JournalLedger } from './journal/journal.ledger.js';

/** Faults of the disk that were really met. */
const FAULTS = { short: 500, long: 10_000 };

/** Faults at the boundary of the file system, for processes that share a folder, are killed and come back. */
await prove('journal', (proof) => {
  Logger.overrideLogger(false);
  const folder = mkdtempSync(join(tmpdir(), 'notion-journal-proof-'));
  proof.leftovers.removeAtEnd(folder);
  const faults = proof.pick(FAULTS);
  const clock = new EpisodeClock();
  const ledger = new JournalLedger();
  const disk = new FaultyDisk(proof.random, () => clock.now().getTime());
  const before = openDescriptors();
  for (let episode = 1; ledger.faultCount < faults; episode += 1) {
    new DiskEpisode(join(folder, `episode-${episode}`), disk, proof.random, clock, ledger).run();
    proof.progress(`${ledger.faultCount} of ${faults} faults, ${episode} episodes`);
  }
  const after = openDescriptors();
  disk.remove();
  tell(proof, ledger, after - before);
  return Promise.resolve();
});

function tell(proof: Proof, { faults, faultCount, counts }: JournalLedger, descriptors: number): void {
  for (const [kind, count] of [...faults].sort()) proof.figure({ figure: `faults: ${kind}`, value: count });
  proof.figure({ figure: 'faults', value: faultCount, bound: { atLeast: proof.pick(FAULTS) } });
  proof.figure({ figure: 'records reported as durable', value: counts.durable });
  proof.figure({ figure: 'of these damaged by the disk itself', value: counts.damaged });
  proof.figure({ figure: 'acknowledged, at once or after a replay', value: counts.acknowledged });
  const none = (figure: string, value: number) => {
    proof.figure({ figure, value, bound: { equals: 0 } });
  };
  none('durable records that were neither replayed nor acknowledged', counts.lost);
  none('replayed records that are not as they were recorded, or known twice', counts.strange);
  none('records replayed after a disconnect', counts.replayedAfterErase);
  none('records found on disk after a disconnect', counts.leftAfterErase);
  none('errors out of the journal', counts.thrown);
  none('looks at a folder with more than journalMaxBytes', counts.bytesOver);
  none('files left when everything is confirmed and its time is over', counts.filesLeft);
  none('descriptors leaked', descriptors);
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
