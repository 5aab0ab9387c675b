import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const IN_MEMORY = ':memory:';

/** SQLite gives `-wal` and `-shm` the mode of the database file, so the file must be private before it is opened. */
export async function createPrivateFile(path: string): Promise<void> {
  if (path === IN_MEMORY) return;
  await mkdir(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
  await (await open(path, 'a', OWNER_ONLY_FILE)).close();
}

/** For files that were there before, with a wider mode. */
export async function makePrivate(path: string): Promise<void> {
  if (path === IN_MEMORY) return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    await chmod(file, OWNER_ONLY_FILE).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
}
