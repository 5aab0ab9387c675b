import { statSync } from 'node:fs';
import { parseRecord } from './journal-record.js';
import type { JournalShelf, ShelvedFile } from './journal-shelf.js';
import { erasePlaces, readSegment } from './segment.js';

/**
 * Overwrites every record of an authorization in one file, and with them what is damaged and holds its id. In a file
 * that nothing is written to any more, all that is damaged is overwritten: its id may be what was damaged.
 *
 * @param isWritten - Whether a process may be writing to a file that was modified then.
 * @throws what the file system throws
 */
export function eraseInFile(
  path: string,
  shelf: JournalShelf,
  id: string,
  isWritten: (modifiedMs: number) => boolean,
): void {
  const file = shelf.file(path);
  if (file !== undefined && isWithout(file, id)) return;
  const { bytes, records, damaged, modifiedMs } = readSegment(path);
  const erased = records.filter(({ payload }) => parseRecord(payload)?.id === id).map(({ place }) => place);
  const torn = damaged.filter(
    ({ offset, length }) => !isWritten(modifiedMs) || bytes.subarray(offset, offset + length).includes(id),
  );
  erasePlaces(path, [...erased, ...torn]);
  if (file === undefined) return;
  for (const { offset } of erased) shelf.removeRecord(file, offset);
  file.ids.delete(id);
  file.recordCount = records.length - erased.length;
}

/** Known without reading the file, unless another process wrote to it since it was read. */
function isWithout({ path, ids, isDamaged, asRead }: ShelvedFile, id: string): boolean {
  if (ids.has(id) || isDamaged) return false;
  return asRead === null || statSync(path).mtimeMs === asRead.modifiedMs;
}
