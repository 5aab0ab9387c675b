import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import type { Leftovers } from './leftovers.js';
import { MariadbServer } from './mariadb.server.js';
import { PostgresServer, type PostgresOptions } from './postgres.server.js';
import type { Engine } from './proof.options.js';

/** An empty database for one stage, and the options that point an application at it. */
export interface ProofDatabase {
  readonly engine: Engine;
  readonly options: Pick<NotionAuthOptions, 'databaseUrl' | 'databaseFile'>;
  /** Only for `postgres`. */
  readonly postgres: PostgresServer | null;
}

/** Starts the engine's server (SQLite: makes a folder) and makes a database on it. */
export async function openDatabase(
  engine: Engine,
  leftovers: Leftovers,
  options?: PostgresOptions,
): Promise<ProofDatabase> {
  switch (engine) {
    case 'postgres': {
      const postgres = await PostgresServer.start(leftovers, options);
      return { engine, postgres, options: { databaseUrl: await postgres.createDatabase() } };
    }
    case 'mariadb': {
      const server = await MariadbServer.start(leftovers);
      return { engine, postgres: null, options: { databaseUrl: await server.createDatabase() } };
    }
    case 'sqlite':
      return {
        engine,
        postgres: null,
        options: { databaseFile: join(temporaryFolder(leftovers), 'n.sqlite') },
      };
  }
}

export function temporaryFolder(leftovers: Leftovers): string {
  const folder = mkdtempSync(join(tmpdir(), 'notion-proof-'));
  leftovers.removeAtEnd(folder);
  leftovers.onEnd(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
