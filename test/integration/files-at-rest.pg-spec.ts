import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { filesAtRestContract, filesIn, type TakenBytes } from '../contracts/files-at-rest.contract.js';
import type { NotionApp } from '../support/notion-app.js';
import { postgres } from '../support/storage.harness.js';

/** The folder of the data and the write-ahead log, as a thief of the disk reads them, and every row as a dump has it. */
async function take(app: NotionApp): Promise<TakenBytes> {
  const one = async (statement: string, by = app.database.dataSource) => {
    const [row] = await by.query<[Record<'value', string>]>(statement);
    return row.value;
  };
  const dump = await one(`SELECT database_to_xml(true, false, '')::text AS value`);
  const database = await one('SELECT oid::text AS value FROM pg_database WHERE datname = current_database()');
  const server = await new DataSource({
    type: 'postgres',
    url: process.env['NOTION_AUTH_TEST_POSTGRES_URL'],
  }).initialize();
  try {
    await server.query('CHECKPOINT');
    const folder = await one(
      `SELECT setting AS value FROM pg_settings WHERE name = 'data_directory'`,
      server,
    );
    const written = await one('SELECT pg_walfile_name(pg_current_wal_lsn()) AS value', server);
    return new Map([
      ['dump', dump],
      ...filesIn(join(folder, 'base', database)),
      ...filesIn(join(folder, 'pg_wal'), (name) => name <= written && /^[0-9A-F]{24}$/.test(name)),
    ]);
  } finally {
    await server.destroy();
  }
}

filesAtRestContract({ ...postgres, take, places: [/^dump$/, /\/base\//, /\/pg_wal\//] });
