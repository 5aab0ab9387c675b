import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionRefreshService, NotionTokenService } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { DataSource } from 'typeorm';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { appModule, CanaryApp, plainOptions } from '../support/canary.app.js';
import { CanaryScanner } from '../support/canary.scanner.js';
import { Exposure } from '../support/exposure.js';

const ROLE = `canary_${String(process.pid)}`;
const scanner = new CanaryScanner();
const exposure = new Exposure();
const password = scanner.plant('database password');
let simulator: NotionSimulator;
let server: DataSource;

beforeAll(async () => {
  simulator = await NotionSimulator.start({ tokenFactory: (kind) => scanner.plant(`${kind} token`) });
  const url = process.env['NOTION_AUTH_TEST_POSTGRES_URL'];
  server = await new DataSource({ type: 'postgres', url }).initialize();
  await server.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${password}'`);
  await server.query(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
});

afterAll(async () => {
  await server.query(`DROP DATABASE ${ROLE}`);
  await server.query(`DROP ROLE ${ROLE}`);
  await server.destroy();
  await simulator.close();
});

describe('an application on PostgreSQL', () => {
  it('shows neither the password of its database nor a token, however it is printed or logged', async () => {
    const key = randomBytes(32).toString('base64');
    const url = new URL(process.env['NOTION_AUTH_TEST_POSTGRES_URL']!);
    url.username = ROLE;
    url.password = encodeURIComponent(password);
    url.pathname = `/${ROLE}`;
    const app = await CanaryApp.start({ simulator, scanner, exposure }, (folder) => {
      const given = plainOptions({ simulator, scanner, exposure }, folder, key, 'coming');
      return appModule({ ...given, databaseFile: undefined, databaseUrl: url.href, runMigrations: true });
    });
    try {
      const { dataSource } = app.nest.get(NotionDatabase);
      const { authorization } = await app.keep('owner-1');
      const refreshes = app.nest.get(NotionRefreshService);
      expect(await refreshes.refresh(authorization.id, { trigger: 'manual' })).toMatchObject({
        kind: 'renewed',
      });
      exposure.object('token', await app.nest.get(NotionTokenService).getAccessToken(authorization.id));
      exposure.object('rows', await dataSource.query('SELECT * FROM notion_authorization'));
      await dataSource.query('SELECT * FROM nowhere').catch((error: unknown) => {
        exposure.error('failed query', error);
      });
      for (const part of [dataSource, dataSource.driver, dataSource.options, dataSource.manager, app.nest])
        exposure.object('part', part);
    } finally {
      await app.close();
    }
    expect(exposure.places).toEqual(expect.arrayContaining(['log', 'statement', 'failed query', 'part']));
    expect(scanner.kinds).toEqual(['access token', 'database password', 'refresh token']);
    expect(exposure.hits(scanner)).toEqual([]);
  }, 60_000);
});
