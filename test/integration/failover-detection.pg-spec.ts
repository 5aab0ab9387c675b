import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { PostgresServer } from '../../proofs/harness/postgres.server.js';
import { promote, startStandby, untilCaughtUp } from '../../proofs/harness/postgres.standby.js';
import { SystemClock } from '../../src/domain/clock.js';
import { Secret } from '../../src/domain/secret.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { ownDataSourceOptions } from '../../src/storage/own-data-source.js';
import { prepareDatabase } from '../../src/storage/prepare-database.js';
import { TypeOrmDatabaseWatch } from '../../src/storage/typeorm-database.watch.js';
import {
  CLIENT_ID,
  claimOf,
  connectSome,
  openDataSource,
  storageProcess,
  type StorageProcess,
} from '../support/storage.harness.js';

const HOLD_MS = 60_000;
const GRANT = 'GRANT EXECUTE ON FUNCTION pg_control_system(), pg_current_wal_lsn()';

describe('failover detection on PostgreSQL', () => {
  const leftovers = new Leftovers();
  const opened: DataSource[] = [];
  let server: PostgresServer;
  let owner: StorageProcess;
  let warn: jest.SpiedFunction<typeof Logger.prototype.warn>;

  async function join(role: string | null = null, on = server): Promise<StorageProcess> {
    const url = new URL(on.urlOf());
    if (role !== null) [url.username, url.password] = [role, 'pw'];
    const options = ownDataSourceOptions({ databaseUrl: new Secret(url.href), databaseFile: '' });
    const dataSource = await openDataSource(options);
    opened.push(dataSource);
    if (role !== null) return storageProcess(new NotionDatabase(dataSource));
    return storageProcess(await prepareDatabase(dataSource, { owned: true, runMigrations: true }));
  }

  function watchOf({ database }: StorageProcess): TypeOrmDatabaseWatch {
    return new TypeOrmDatabaseWatch(database, { clientId: CLIENT_ID }, new SystemClock());
  }

  /** A role that may use every table, as an application's. */
  async function createRole(name: string, options = ''): Promise<void> {
    await server.query(`CREATE ROLE ${name} LOGIN PASSWORD 'pw' ${options}`);
    await server.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${name}`);
  }

  /** What a failover would have left: the note, and the gate. */
  async function traces() {
    const notes = await server.query('SELECT timeline, changed_at FROM notion_database_timeline');
    const gates = await server.query('SELECT gate FROM notion_refresh_gate WHERE closed_until IS NOT NULL');
    return { notes, gates };
  }

  function untouched(name: string) {
    return { notes: [{ timeline: name, changed_at: null }], gates: [] };
  }

  beforeAll(async () => {
    server = await PostgresServer.start(leftovers, { fsync: false });
    owner = await join();
  }, 60_000);

  beforeEach(async () => {
    warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    await server.query('DELETE FROM notion_database_timeline');
    await server.query('DELETE FROM notion_refresh_gate');
  });

  afterEach(() => {
    warn.mockRestore();
  });

  afterAll(async () => {
    for (const dataSource of opened) await dataSource.destroy();
    await leftovers.clear();
  });

  it('knows nothing while the role has no connection left, and the same server afterwards', async () => {
    await createRole('limited', 'CONNECTION LIMIT 1');
    const process = await join('limited');
    const watch = watchOf(process);
    const name = await watch.compare(HOLD_MS);
    // Its only connection is in use: every further one is rejected with 53300.
    await process.database.read(async ({ manager }) => {
      await manager.query('SELECT 1');
      await expect(watch.compare(HOLD_MS)).rejects.toMatchObject({ code: '53300' });
    });
    expect(await traces()).toEqual(untouched(name!));
    expect(await watch.compare(HOLD_MS)).toBe(name);
    expect(await traces()).toEqual(untouched(name!));
  });

  describe('for a role whose question is interrupted', () => {
    beforeAll(async () => {
      await createRole('interrupted');
      await server.query('CREATE SCHEMA interruption; GRANT USAGE ON SCHEMA interruption TO interrupted');
      await server.query('ALTER ROLE interrupted SET search_path = interruption, public, pg_catalog');
    });

    async function interruptWith(body: string): Promise<void> {
      await server.query(
        `CREATE OR REPLACE FUNCTION interruption.pg_control_system(OUT system_identifier bigint)
         LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`,
      );
    }

    it.each(['53300', '57014', '55P03', '40001', '57P03', '58030', '08006'])(
      'knows nothing now after SQLSTATE %s: notes nothing, closes no gate, says nothing, and looks again',
      async (code) => {
        const name = await watchOf(owner).compare(HOLD_MS);
        const watch = watchOf(await join('interrupted'));
        await interruptWith(`RAISE EXCEPTION 'interrupted' USING ERRCODE = '${code}';`);
        await expect(watch.compare(HOLD_MS)).rejects.toMatchObject({ driverError: { code } });
        expect(await traces()).toEqual(untouched(name!));
        await interruptWith(
          'SELECT c.system_identifier INTO system_identifier FROM pg_catalog.pg_control_system() c;',
        );
        expect(await watch.compare(HOLD_MS)).toBe(name);
        expect(await traces()).toEqual(untouched(name!));
        expect(warn).not.toHaveBeenCalled();
      },
    );

    it('knows nothing now after a statement timeout', async () => {
      const name = await watchOf(owner).compare(HOLD_MS);
      await interruptWith('PERFORM pg_sleep(60);');
      await server.query(`ALTER ROLE interrupted SET statement_timeout = '50ms'`);
      const watch = watchOf(await join('interrupted'));
      await expect(watch.compare(HOLD_MS)).rejects.toMatchObject({ driverError: { code: '57014' } });
      await server.query('ALTER ROLE interrupted RESET statement_timeout');
      expect(await traces()).toEqual(untouched(name!));
    });
  });

  describe('for a role without the right to read the identity', () => {
    beforeAll(async () => {
      await createRole('hardened');
      await server.query('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
    });

    afterAll(async () => {
      await server.query('GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC');
    });

    it('writes nothing, agrees with a role that has it, and says once what to grant', async () => {
      const hardened = watchOf(await join('hardened'));
      expect(await hardened.compare(HOLD_MS)).toBeNull();
      expect(await traces()).toEqual({ notes: [], gates: [] });
      const name = await watchOf(owner).compare(HOLD_MS);
      expect(await hardened.compare(HOLD_MS)).toBe(name);
      expect(await watchOf(owner).compare(HOLD_MS)).toBe(name);
      expect(await traces()).toEqual(untouched(name!));
      expect(warn.mock.calls.map(([line]) => String(line))).toEqual([expect.stringContaining(GRANT)]);
    });

    it('hears of a failover through the note that a process with the right moves', async () => {
      const hardened = watchOf(await join('hardened'));
      await server.query(
        `INSERT INTO notion_database_timeline (client_id, timeline) VALUES ('${CLIENT_ID}', 'the lost server')`,
      );
      expect(await hardened.compare(HOLD_MS)).toBe('the lost server');
      const name = await watchOf(owner).compare(HOLD_MS);
      expect(await hardened.compare(HOLD_MS)).toBe(name);
      expect((await traces()).gates).toEqual([{ gate: 'failover' }]);
    });

    it('detects by itself once it is granted what the warning asks for', async () => {
      const hardened = await join('hardened');
      await watchOf(hardened).compare(HOLD_MS);
      const [statement] = /GRANT EXECUTE .*(?= and restart)/.exec(String(warn.mock.calls[0]![0]))!;
      await server.query(statement.replace('<role>', 'hardened'));
      const name = await watchOf(hardened).compare(HOLD_MS);
      expect(name).toBe(await watchOf(owner).compare(HOLD_MS));
      expect(await traces()).toEqual(untouched(name!));
    });
  });

  it('takes a database without these functions for one that never tells, and says so once', async () => {
    await createRole('relative');
    await server.query('CREATE SCHEMA relative; GRANT USAGE ON SCHEMA relative TO relative');
    await server.query('ALTER ROLE relative SET search_path = relative, public, pg_catalog');
    await server.query(
      `CREATE FUNCTION relative.pg_control_system(OUT system_identifier bigint)
       LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'none' USING ERRCODE = '42883'; END $$`,
    );
    const watch = watchOf(await join('relative'));
    expect([await watch.compare(HOLD_MS), await watch.compare(HOLD_MS)]).toEqual([null, null]);
    expect(await traces()).toEqual({ notes: [], gates: [] });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]![0])).toMatch(/^Failover detection is off: this database/);
  });

  it('does not take a standby for a server, and takes it for another one once it is promoted', async () => {
    const name = await watchOf(owner).compare(HOLD_MS);
    const { id } = await connectSome(owner.store);
    const standby = await startStandby(server, server.port, leftovers);
    await untilCaughtUp(server);
    const process = await join(null, standby);
    const watch = watchOf(process);
    await expect(watch.compare(HOLD_MS)).rejects.toThrow('standby');
    expect(await standby.query('SELECT timeline FROM notion_database_timeline')).toEqual([
      { timeline: name },
    ]);
    await promote(standby);
    const promoted = await watch.compare(HOLD_MS);
    expect(promoted).toMatch(/^\d+\/[0-9A-F]{8}$/);
    expect(promoted).not.toBe(name);
    expect(await claimOf(process.store, id)).toMatchObject({ kind: 'postponed', gate: 'failover' });
    expect(await traces()).toEqual(untouched(name!));
  });
});
