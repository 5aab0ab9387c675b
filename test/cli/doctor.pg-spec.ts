import { afterAll, beforeAll, expect, it } from '@jest/globals';
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
