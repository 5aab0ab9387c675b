import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { generateEncryptionKey } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { freePort } from '../../proofs/harness/free-port.js';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { MariadbServer } from '../../proofs/harness/mariadb.server.js';
import { SystemClock, type Clock } from '../../src/domain/clock.js';
import { Secret } from '../../src/domain/secret.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { TypeOrmDatabaseWatch } from '../../src/storage/typeorm-database.watch.js';
import { CliSite } from '../support/cli.js';
import { onMariadb } from '../support/on-mariadb.js';
import {
  CLIENT_ID,
  claimOf,
  connectSome,
  mariadb,
  openDataSource,
  storageProcess,
  type StorageProcess,
} from '../support/storage.harness.js';
import { run, useStorage } from '../support/use-storage.js';

const HOLD_MS = 60_000;

let warn: jest.SpiedFunction<typeof Logger.prototype.warn>;

beforeEach(() => {
  warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
});

afterEach(() => {
  warn.mockRestore();
});

class LaterClock extends SystemClock {
  laterByMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.laterByMs;
  }
}

function watchOf({ database }: StorageProcess, clock: Clock = new SystemClock()): TypeOrmDatabaseWatch {
  return new TypeOrmDatabaseWatch(database, { clientId: CLIENT_ID }, clock);
}

onMariadb(() => {
  describe('failover detection on MariaDB', detectionTests);
});

function detectionTests(): void {
  const storage = useStorage(mariadb);

  async function traces() {
    const notes = await run(storage(), 'SELECT timeline FROM notion_database_timeline');
    const gates = await run(storage(), 'SELECT gate FROM notion_refresh_gate WHERE closed_until IS NOT NULL');
    return { notes, gates };
  }

  /** As if the connections led to another server with the same data, as a promoted replica has them. */
  function answerAs(serverId: number): Promise<unknown> {
    return run(storage(), `SET GLOBAL server_id = ${String(serverId)}`);
  }

  beforeEach(async () => {
    await answerAs(1);
    await run(storage(), 'DELETE FROM notion_database_timeline');
    await run(storage(), 'DELETE FROM notion_refresh_gate');
  });

  it('notices a replica that was promoted, and holds every claim', async () => {
    const watch = watchOf(storage());
    expect(await watch.compare(HOLD_MS)).toBe('server_id 1');
    const { id } = await connectSome(storage().store);
    await answerAs(2);
    expect(await watch.compare(HOLD_MS)).toBe('server_id 2');
    expect(await claimOf(storage().store, id)).toMatchObject({ kind: 'postponed', gate: 'failover' });
    expect(warn).not.toHaveBeenCalled();
  });

  it('switches itself off, says so once and opens the gate again, where servers answer in turn', async () => {
    const watch = watchOf(storage());
    await watch.compare(HOLD_MS);
    await answerAs(2);
    await watch.compare(HOLD_MS);
    await answerAs(1);
    expect(await watch.compare(HOLD_MS)).toBeNull();
    expect(await traces()).toEqual({ notes: [{ timeline: 'server_id 2' }], gates: [] });
    await answerAs(2);
    expect(await watch.compare(HOLD_MS)).toBeNull();
    expect((await traces()).gates).toEqual([]);
    expect(warn.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringMatching(
        /^Failover detection is off: a proxy or load balancer .* Connect to the primary only/,
      ),
    ]);
  });

  it('takes a note that another process moved away from a server that still answers for the same', async () => {
    const [first, second] = [watchOf(storage()), watchOf(storage())];
    await first.compare(HOLD_MS);
    await answerAs(2);
    await second.compare(HOLD_MS);
    expect((await traces()).gates).toEqual([{ gate: 'failover' }]);
    await answerAs(1);
    expect(await first.compare(HOLD_MS)).toBeNull();
    expect((await traces()).gates).toEqual([]);
  });

  it('takes a server that is promoted again after a long time for a failover', async () => {
    const clock = new LaterClock();
    const watch = watchOf(storage(), clock);
    await watch.compare(HOLD_MS);
    await answerAs(2);
    await watch.compare(HOLD_MS);
    clock.laterByMs = 600_000;
    await answerAs(1);
    expect(await watch.compare(HOLD_MS)).toBe('server_id 1');
    expect((await traces()).gates).toEqual([{ gate: 'failover' }]);
  });

  it('knows nothing while the server accepts no writes, or the account has no connection left', async () => {
    const watch = watchOf(storage());
    await watch.compare(HOLD_MS);
    await run(storage(), 'SET GLOBAL read_only = ON');
    await expect(watch.compare(HOLD_MS)).rejects.toThrow('read-only');
    await run(storage(), 'SET GLOBAL read_only = OFF');

    const account = `limited@'127.0.0.1'`;
    await run(storage(), `CREATE USER ${account} IDENTIFIED BY 'pw' WITH MAX_USER_CONNECTIONS 1`);
    await run(storage(), `GRANT SELECT, INSERT, UPDATE, DELETE ON *.* TO ${account}`);
    const { url } = storage().database.dataSource.options as { url: string };
    const limitedUrl = Object.assign(new URL(url), { username: 'limited', password: 'pw' }).href;
    const dataSource = await openDataSource(
      ownDataSourceOptions({ databaseUrl: new Secret(limitedUrl), databaseFile: '' }),
    );
    const limited = storageProcess(new NotionDatabase(dataSource));
    await limited.database.read(async ({ manager }) => {
      await manager.query('SELECT 1');
      await expect(watchOf(limited).compare(HOLD_MS)).rejects.toMatchObject({ errno: 1226 });
    });
    expect(await watchOf(limited).compare(HOLD_MS)).toBe('server_id 1');
    await dataSource.destroy();
    expect(await traces()).toEqual({ notes: [{ timeline: 'server_id 1' }], gates: [] });
  });
}

describe('a Galera cluster', () => {
  const leftovers = new Leftovers();
  let server: MariadbServer;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    server = await MariadbServer.start(leftovers, {
      readyLine: 'Synchronized with group, ready for connections',
      flags: [
        '--wsrep-on=ON',
        '--wsrep-provider=/usr/lib/galera/libgalera_smm.so',
        '--wsrep-cluster-address=gcomm://',
        `--wsrep-node-address=127.0.0.1:${String(port)}`,
        `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${String(port)}`,
        '--wsrep-new-cluster',
        '--binlog-format=ROW',
      ],
    });
    url = await server.createDatabase();
  }, 90_000);

  afterAll(() => leftovers.clear());

  it('is never compared, is said once at startup, and is a finding of the doctor', async () => {
    const dataSource = await openDataSource(
      ownDataSourceOptions({ databaseUrl: new Secret(url), databaseFile: '' }),
    );
    const database = await prepareDatabase(dataSource, { owned: true, runMigrations: true });
    const watch = watchOf(storageProcess(database));
    expect([await watch.compare(HOLD_MS), await watch.compare(HOLD_MS)]).toEqual([null, null]);
    expect(await dataSource.query('SELECT timeline FROM notion_database_timeline')).toEqual([]);
    expect(warn.mock.calls.map(([line]) => String(line))).toEqual([
      expect.stringMatching(/^Failover detection is off: several servers of this cluster/),
    ]);
    await dataSource.destroy();

    const simulator = await NotionSimulator.start();
    const site = new CliSite({
      ...CliSite.settingsFor(simulator, generateEncryptionKey('k1')),
      NOTION_AUTH_DATABASE_URL: url,
    });
    const { output } = await site.run(['doctor']);
    expect(output).toMatch(/warn {2}failover .*detection is off: several servers of this cluster/);
    site.remove();
    await simulator.close();
  }, 60_000);
});
