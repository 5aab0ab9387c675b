import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { generateEncryptionKey } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { CliSite } from '../support/cli.js';
import { databaseFor } from '../support/notion-app.js';
import { postgres } from '../support/storage.harness.js';

let simulator: NotionSimulator;
let database: Awaited<ReturnType<typeof databaseFor>>;
let site: CliSite;

beforeAll(async () => {
  simulator = await NotionSimulator.start();
  database = await databaseFor(postgres);
  site = new CliSite({
    ...CliSite.settingsFor(simulator, generateEncryptionKey('k1')),
    NOTION_AUTH_DATABASE_URL: String(database.options.databaseUrl),
  });
});

afterAll(async () => {
  site.remove();
  await database.drop();
  await simulator.close();
});

it('says that migrations are pending, and nothing is left in the database by having looked', async () => {
  for (let look = 0; look < 2; look++) {
    const { code, output } = await site.run(['doctor']);
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/FAIL {2}schema .*migrations are pending: run/),
    ]);
    expect(output).toContain('not tried: the tables are not there yet');
    expect(output).toMatch(
      /ok {4}pool .*up to 4 connections; of \d+ .* are in use: room for \d+ more processes/,
    );
  }
}, 30_000);

it('finds the schema in order after notion-auth migrate', async () => {
  const another = await databaseFor(postgres);
  const change = { NOTION_AUTH_DATABASE_URL: String(another.options.databaseUrl) };
  expect(await site.run(['migrate'], { change })).toMatchObject({ code: 0 });
  const { code, output } = await site.run(['doctor'], { change });
  expect([code, output]).toEqual([0, expect.stringMatching(/^ok {4}schema /m)]);
  await another.drop();
}, 30_000);

it('says what to grant to a role that may not read the identity of the server', async () => {
  const url = new URL(String(database.options.databaseUrl));
  const role = `doctor_${randomBytes(4).toString('hex')}`;
  const admin = await new DataSource({ type: 'postgres', url: url.href }).initialize();
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`);
  await admin.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
  await admin.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
  await admin.query('REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC');
  const asRole = Object.assign(new URL(url), { username: role, password: 'pw' });
  const finding = async () => {
    const { output } = await site.run(['doctor'], { change: { NOTION_AUTH_DATABASE_URL: asRole.href } });
    return output.split('\n').find((line) => line.includes('failover'));
  };
  const said = await finding();
  expect(said).toMatch(/^warn {2}failover .*detection is off: the database role may not read/);
  const [grant] = /GRANT EXECUTE .*(?= and restart)/.exec(said ?? '') ?? [''];
  await admin.query(grant.replace('<role>', role));
  expect(await finding()).toMatch(/^ok {4}failover .*the identity of the server can be read/);
  await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await admin.destroy();
}, 60_000);
