import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionConfigError } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { resolveConfig } from '../../src/config/resolve-config.js';
import { NotionApp } from '../support/notion-app.js';

describe('the embedded database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'notion-database-file-'));
  let simulator: NotionSimulator;

  beforeAll(async () => {
    simulator = await NotionSimulator.start();
    writeFileSync(join(folder, 'file'), 'no database, and no folder');
  });

  afterAll(async () => {
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [
      'a folder that cannot be made',
      join('file', 'notion-auth.sqlite'),
      /cannot be written \(\w+\): the folder \S+file must be/,
    ],
    ['a folder in place of a file', '.', /cannot be written \(EISDIR\)/],
    ['a file that is no database', 'file', /is not a SQLite database \(SQLITE_NOTADB\)/],
  ])('names option, variable and folder for %s', async (_, name, what) => {
    const start = NotionApp.start(simulator, { databaseFile: join(folder, name) });
    await expect(start).rejects.toThrow(what);
    await expect(start).rejects.toThrow(
      /databaseFile \(NOTION_AUTH_DATABASE_PATH\).*NOTION_AUTH_DATABASE_URL/,
    );
  });

  it.each([
    [undefined, 'is not set in production'],
    [':memory:', 'keeps authorizations in memory only'],
  ])('is a warning in production with the file %s', (databaseFile, warning) => {
    const config = resolveConfig(
      {
        clientId: 'client-under-test',
        clientSecret: 'secret_of-forty-characters-and-some-more-a1b2',
        redirectUris: ['https://app.example/notion/callback'],
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        databaseFile,
        production: true,
      },
      {},
    );
    expect(config.warnings).toEqual([expect.stringContaining(warning)]);
  });
});

describe("a DataSource of the application's that is not registered", () => {
  it('stops the start with its name, and with the command that finds a second copy of a package', async () => {
    const simulator = await NotionSimulator.start();
    const start = NotionApp.start(simulator, { dataSource: 'reporting' });
    await expect(start).rejects.toThrow(NotionConfigError);
    await expect(start).rejects.toThrow(/no DataSource named "reporting".*npm ls @nestjs\/typeorm typeorm/);
    await simulator.close();
  });
});
