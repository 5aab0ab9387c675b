import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSegment } from '../../src/journal/segment.js';

interface ClearPart {
  readonly id: string;
  readonly version: number;
}

/**
 * What stands in a journal's folder, read beside the library while its process is dead: the highest version of each
 * authorization. Ids and versions stand there in clear.
 */
export function journaledVersions(folder: string | null): ReadonlyMap<string, number> {
  const highest = new Map<string, number>();
  if (folder === null || !existsSync(folder)) return highest;
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.pairs'))) {
    for (const { payload } of readSegment(join(folder, name)).records) {
      const { id, version } = JSON.parse(payload.toString('utf8')) as ClearPart;
      highest.set(id, Math.max(version, highest.get(id) ?? 0));
    }
  }
  return highest;
}
