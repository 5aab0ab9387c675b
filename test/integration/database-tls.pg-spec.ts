import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { generateEncryptionKey } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { PostgresServer } from '../../proofs/harness/postgres.server.js';
import { Certificates } from '../support/certificates.js';
import { CliSite } from '../support/cli.js';
import { NotionApp, type NotionAppOptions } from '../support/notion-app.js';

/** Far less than a retry of the connection takes. */
const AT_ONCE_MS = 2_500;

const leftovers = new Leftovers();
let certificates: Certificates;
let server: PostgresServer;
let simulator: NotionSimulator;
let url: string;

beforeAll(async () => {
  simulator = await NotionSimulator.start();
  certificates = new Certificates('postgres');
  server = await PostgresServer.start(leftovers, {
    fsync: false,
    settings: {
      ssl: 'on',
      ssl_cert_file: certificates.file('server.pem'),
      ssl_key_file: certificates.file('server.key'),
    },
  });
  // From here on; the harness itself connects in clear text.
  writeFileSync(join(server.folder, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  await server.query('SELECT pg_reload_conf()');
  url = server.urlOf();
}, 120_000);

afterAll(async () => {
  await leftovers.clear();
  certificates.remove();
  await simulator.close();
});

/** Whether the connection of the module is encrypted, by the word of the server. */
async function encryptionWith(options: NotionAppOptions): Promise<boolean> {
  const app = await NotionApp.start(simulator, options);
  try {
    const [row] = await app.database.dataSource.query<[{ ssl: boolean }]>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    return row.ssl;
  } finally {
    await app.close();
  }
}

/** The message of the start, and that it came without a retry. */
async function refusalOf(options: NotionAppOptions): Promise<string> {
  const began = performance.now();
  const error: unknown = await NotionApp.start(simulator, options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'notion_config_invalid' });
  expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
  return (error as Error).message;
}

it('verifies a private certificate authority by the URL alone, and by the option', async () => {
  const ca = certificates.text('ca.pem');
  const file = certificates.file('ca.pem');
  expect(await encryptionWith({ databaseUrl: `${url}?sslmode=verify-full&sslrootcert=${file}` })).toBe(true);
  expect(await encryptionWith({ databaseUrl: `${url}?sslmode=verify-ca&sslrootcert=${file}` })).toBe(true);
  expect(await encryptionWith({ databaseUrl: url, databaseTls: { ca } })).toBe(true);
  expect(await encryptionWith({ databaseUrl: `${url}?application_name=crm`, databaseTls: { ca } })).toBe(
    true,
  );
  expect(await encryptionWith({ databaseUrl: `${url}?sslmode=no-verify` })).toBe(true);
});

it('names the certificate and what to set when it is not trusted, at once', async () => {
  for (const mode of ['?sslmode=require', '?sslmode=verify-full', '?ssl=true'])
    expect(await refusalOf({ databaseUrl: url + mode })).toMatch(
      /NOTION_AUTH_DATABASE_URL\): the certificate of the database server is not trusted .*NOTION_AUTH_DATABASE_CA_FILE.*sslrootcert/,
    );
  expect(
    await refusalOf({ databaseUrl: url, databaseTls: { ca: certificates.text('other.pem') } }),
  ).toContain('the configured certificate authority (CN=Another Authority) did not sign it');
  expect(
    await refusalOf({
      databaseUrl: url,
      databaseTls: { ca: certificates.text('ca.pem'), servername: 'db.example' },
    }),
  ).toMatch(/is for another host name .*use a name of the certificate/);
});

it('says at once that the server demands TLS, that the password is wrong, that the database is missing', async () => {
  const tls = { ca: certificates.text('ca.pem') };
  const wrong = (change: Partial<URL>) => ({
    databaseUrl: Object.assign(new URL(url), change).href,
    databaseTls: tls,
  });
  expect(await refusalOf({ databaseUrl: url })).toMatch(
    /accepts TLS connections only.*add sslmode=verify-full/,
  );
  expect(await refusalOf(wrong({ password: 'another' }))).toMatch(/rejects the user or the password.*28P01/);
  expect(await refusalOf(wrong({ pathname: '/nowhere' }))).toMatch(/the database does not exist.*3D000/);
});

it('is told by the doctor and by migrate in the same words', async () => {
  const site = new CliSite({
    ...CliSite.settingsFor(simulator, generateEncryptionKey('k1')),
    NOTION_AUTH_DATABASE_URL: `${url}?sslmode=verify-full`,
  });
  const said = /the certificate of the database server is not trusted .*NOTION_AUTH_DATABASE_CA_FILE/;
  const trusting = { NOTION_AUTH_DATABASE_CA_FILE: certificates.file('ca.pem') };
  const doctor = await site.run(['doctor']);
  expect([doctor.code, doctor.output]).toEqual([1, expect.stringMatching(said)]);
  expect((await site.run(['migrate'])).output).toMatch(said);
  expect((await site.run(['doctor'], { change: trusting })).output).toMatch(/ok {4}database /);
  site.remove();
});
