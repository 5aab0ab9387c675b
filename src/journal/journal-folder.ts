import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { codeOf } from './journal-errors.js';

/** More than twice the longest record. A longer file is none of this library. */
export const MAX_FILE_BYTES = 2 ** 20;
const FILE_SUFFIX = '.pairs';
/** What passes by itself. A record that meets it is reported as not journaled. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);
/** What platforms and network file systems say that cannot synchronise a folder. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EPERM', 'EACCES', 'EISDIR']);

export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** Sorted by the time they were made. */
export function listFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(FILE_SUFFIX));
  return names.sort().map((name) => join(folder, name));
}

export function newFilePath(folder: string, nowMs: number): string {
  return join(folder, `${nowMs}-${randomUUID()}${FILE_SUFFIX}`);
}

/** Of all journal files in the folder, also those of other processes and those that cannot be read. */
export function bytesIn(folder: string): number {
  return listFiles(folder).reduce((sum, path) => sum + bytesOf(path), 0);
}

function bytesOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size <= MAX_FILE_BYTES ? stat.size : 0;
}

/**
 * The name of a new file is durable only when its folder is.
 * @returns the code of a platform that cannot synchronise a folder, otherwise `null`
 * @throws what the file system throws otherwise
 */
export function syncFolder(folder: string): string | null {
  try {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return null;
  } catch (error) {
    const code = codeOf(error);
    if (NO_FOLDER_SYNC.has(code)) return code;
    throw error;
  }
}

/**
 * Makes the folder if it is missing, and a file in it that is removed: permissions alone do not tell (a read-only
 * mount, a network file system, a user that may do everything).
 *
 * @returns the code of what makes the folder unusable, or `null`; a full disk passes and does not count
 */
export function whyUnusable(folder: string): string | null {
  return codeOfLasting(() => {
    makeFolder(folder);
    tryToWrite(folder);
  });
}

/** As {@link whyUnusable}, and makes nothing that stays: of a missing folder, whether it can be made. */
export function whyUnusableLater(folder: string): string | null {
  if (existsSync(folder))
    return codeOfLasting(() => {
      tryToWrite(folder);
    });
  const parent = nearestExisting(dirname(resolve(folder)));
  if (!statSync(parent).isDirectory()) return 'ENOTDIR';
  return codeOfLasting(() => {
    accessSync(parent, constants.W_OK | constants.X_OK);
  });
}

function tryToWrite(folder: string): void {
  readdirSync(folder);
  const path = join(folder, `.probe-${randomUUID()}`);
  closeSync(openSync(path, 'wx', 0o600));
  rmSync(path);
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

function codeOfLasting(work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    const code = codeOf(error);
    return PASSING.has(code) ? null : code;
  }
}
