import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NotionStorageUnsupportedError } from '../domain/errors.js';

/** In the order of preference; TypeORM 1 knows the second only. */
const DRIVERS = ['sqlite3', 'better-sqlite3'] as const;
type SqliteDriver = (typeof DRIVERS)[number];

const NOT_BUILT = /Could not locate the bindings file/;

/** Why TypeORM can use neither driver: none is installed, its native part is missing, or this TypeORM does not know it. */
export function explainUnusableDriver(): NotionStorageUnsupportedError {
  const attempts = DRIVERS.map((driver) => ({ driver, failure: failureOf(driver) }));
  const broken = attempts.find(({ failure }) => failure instanceof Error);
  if (broken !== undefined) return unbuiltDriver(broken.driver, broken.failure as Error);
  return new NotionStorageUnsupportedError(
    attempts[0]!.failure === null
      ? 'The driver sqlite3 is installed, but this version of TypeORM does not support it: npm install better-sqlite3 (TypeORM 1), or typeorm@^0.3.31.'
      : 'The embedded SQLite database needs a driver: npm install sqlite3 (TypeORM 0.3) or better-sqlite3 (TypeORM 1).',
  );
}

/** `better-sqlite3` loads its native part only when it opens a database. @returns `null` for any other error. */
export function explainUnbuiltDriver(error: unknown): NotionStorageUnsupportedError | null {
  return isNotBuilt(error) ? unbuiltDriver('better-sqlite3', error) : null;
}

function unbuiltDriver(driver: SqliteDriver, cause: Error): NotionStorageUnsupportedError {
  const [reason] = cause.message.split('\n');
  return new NotionStorageUnsupportedError(
    `The driver ${driver} is installed, but its native part cannot be loaded (${reason!.replace(/[.:]\s*(?:Tried:)?\s*$/, '')}). ` +
      'The package manager blocked the script that builds it, or it was built for another version of Node.js. ' +
      `Allow the script and build it again: npm install-scripts approve ${driver} && npm rebuild ${driver}, ` +
      `or pnpm approve-builds. The build needs a C++ toolchain and Python where ${driver} has no prebuilt file for this platform.`,
    { cause },
  );
}

/** `null`: it loads. `'missing'`: it is not installed. */
function failureOf(driver: SqliteDriver): Error | 'missing' | null {
  // Where TypeORM looks, too; a bundle has no location of its own to begin from.
  const require = createRequire(join(process.cwd(), 'package.json'));
  try {
    require.resolve(driver);
  } catch {
    return 'missing';
  }
  try {
    require(driver);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isNotBuilt(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_DLOPEN_FAILED' || NOT_BUILT.test(error.message);
}
