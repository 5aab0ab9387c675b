import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { NOTION_AUTH_CONFIG, ownDataSourceOptions, type NotionAuthConfig } from 'nestjs-notion-auth';

/**
 * What a host does that keeps tables of its own in the library's SQLite file: it writes on its own connection, waits
 * for something else, and rolls back, while the library writes in the same process.
 * @returns How many rows of the host's are left.
 */
export async function rollBackHostWork(application: INestApplicationContext, count: number): Promise<number> {
  const config = application.get<NotionAuthConfig>(NOTION_AUTH_CONFIG, { strict: false });
  const host = await new DataSource(ownDataSourceOptions({ ...config, databaseUrl: null })).initialize();
  try {
    await patiently(() => host.query('CREATE TABLE IF NOT EXISTS host_work (note text)'));
    for (let done = 0; done < count; done++) {
      await patiently(() => host.query('BEGIN IMMEDIATE'));
      await host.query(`INSERT INTO host_work VALUES ('to be rolled back')`);
      await sleep(1 + Math.random() * 4);
      await host.query('ROLLBACK');
      await sleep(5);
    }
    const [{ n }] = await host.query<[{ n: number }]>('SELECT count(*) AS n FROM host_work');
    return n;
  } finally {
    await host.destroy();
  }
}

/** Other processes write to the same file. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof Error && /SQLITE_BUSY|database is locked/.test(error.message))) throw error;
      await sleep(5);
    }
  }
}
