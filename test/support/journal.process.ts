import { readdirSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { FilePairJournal } from '../../src/journal/file-pair.journal.js';
import { idsOf, JournalFolder, replayedIds, somePair } from './journal.fixtures.js';

/** What a process printed that wrote records under limits of the kernel. */
export interface JournalReport {
  readonly durable: readonly string[];
  readonly replayed: readonly string[];
  readonly notJournaled: number;
  readonly files: number;
  readonly descriptorsLeaked: number;
}

// Records beyond the limit of the kernel, and reads back what it reported as durable.
Logger.overrideLogger(false);
const folder = new JournalFolder(FilePairJournal);
const openDescriptors = () => readdirSync('/proc/self/fd').length;
const before = openDescriptors();
const journal = folder.journal();
const pairs = Array.from({ length: 60 }, () => somePair());
const durable = pairs.filter((pair) => {
  journal.prepare();
  return journal.record(pair) !== null;
});
journal.onApplicationShutdown();
const report: JournalReport = {
  durable: idsOf(durable),
  replayed: replayedIds(folder.journal()),
  notJournaled: pairs.length - durable.length,
  files: folder.files().length,
  descriptorsLeaked: openDescriptors() - before,
};
folder.remove();
process.stdout.write(JSON.stringify(report));
