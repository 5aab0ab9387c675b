import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { MariadbServer } from '../../proofs/harness/mariadb.server.js';
import { Certificates } from '../support/certificates.js';
import { reportMissing } from '../support/missing-program.js';
import { NotionApp, type NotionAppOptions } from '../support/notion-app.js';

/** Far less than a retry of the connection takes. */
const AT_ONCE_MS = 2_500;

if (MariadbServer.isInstalled) suite();
else reportMissing('TLS of the database on MariaDB', 'Install mariadb-server.');

function suite(): void {
  describe('a MariaDB that demands TLS', () => {
    const leftovers = new Leftovers();
    let certificates: Certificates;
    let simulator: NotionSimulator;
    let url: string;

    beforeAll(async () => {
      simulator = await NotionSimulator.start();
      certificates = new Certificates('mysql');
      const server = await MariadbServer.start(leftovers, {
        flags: [
          `--ssl-ca=${certificates.file('ca.pem')}`,
          `--ssl-cert=${certificates.file('server.pem')}`,
          `--ssl-key=${certificates.file('server.key')}`,
        ],
      });
      url = await server.createDatabase();
      const app = await NotionApp.start(simulator, { databaseUrl: url });
      await app.database.dataSource.query('SET GLOBAL require_secure_transport = ON');
      await app.close();
    }, 120_000);

    afterAll(async () => {
      await leftovers.clear();
      certificates.remove();
      await simulator.close();
    });

    async function cipherWith(options: NotionAppOptions): Promise<string> {
      const app = await NotionApp.start(simulator, options);
      try {
        const [row] = await app.database.dataSource.query<[{ Value: string }]>(
          `SHOW SESSION STATUS LIKE 'Ssl_cipher'`,
        );
        return row.Value;
      } finally {
        await app.close();
      }
    }

    async function refusalOf(options: NotionAppOptions): Promise<string> {
      const began = performance.now();
      const error: unknown = await NotionApp.start(simulator, options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'notion_config_invalid' });
      expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
      return (error as Error).message;
    }

    it.each([
      '?ssl={"rejectUnauthorized":false}',
      '?sslmode=require',
      '?ssl-mode=REQUIRED',
      '?sslMode=REQUIRED&ssl-ca=CA',
      '?ssl-mode=VERIFY_CA&sslca=CA',
    ])('is reached over TLS with %s', async (parameters) => {
      const databaseUrl = url + parameters.replace(/=CA$/, `=${certificates.file('ca.pem')}`);
      expect(await cipherWith({ databaseUrl })).not.toBe('');
    });

    it('is verified, name and authority, with the option and with VERIFY_IDENTITY', async () => {
      const ca = certificates.text('ca.pem');
      const byName = url.replace('127.0.0.1', 'localhost');
      expect(await cipherWith({ databaseUrl: url, databaseTls: { ca } })).not.toBe('');
      expect(await cipherWith({ databaseUrl: byName, databaseTls: { ca } })).not.toBe('');
      const parameters = `?ssl-mode=VERIFY_IDENTITY&ssl-ca=${certificates.file('ca.pem')}`;
      expect(await cipherWith({ databaseUrl: byName + parameters })).not.toBe('');
      expect(await refusalOf({ databaseUrl: url + parameters })).toContain(
        'cannot compare a certificate with an IP address',
      );
    });

    it('is refused at once with the next step: clear text, and a certificate of another authority', async () => {
      const ca = certificates.text('other.pem');
      // MariaDB rejects the user, MySQL names the transport.
      const demand = /accepts TLS connections only|add ssl-mode=VERIFY_IDENTITY to the URL where the server/;
      expect(await refusalOf({ databaseUrl: url })).toMatch(demand);
      expect(await refusalOf({ databaseUrl: `${url}?ssl=false` })).toMatch(demand);
      expect(await refusalOf({ databaseUrl: url, databaseTls: { ca } })).toContain(
        'the configured certificate authority (CN=Another Authority) did not sign it',
      );
      expect(await refusalOf({ databaseUrl: `${url.replace('127.0.0.1', 'localhost')}?ssl=true` })).toContain(
        'NOTION_AUTH_DATABASE_CA_FILE',
      );
    });

    it('is refused at once without a database of that name, and with a wrong password', async () => {
      const tls = '?ssl-mode=REQUIRED';
      const { pathname, password } = new URL(url);
      expect(await refusalOf({ databaseUrl: url.replace(pathname, '/nowhere') + tls })).toMatch(
        /the database does not exist|no access to this database/,
      );
      expect(await refusalOf({ databaseUrl: url.replace(password, 'another') + tls })).toContain(
        'rejects the user or the password',
      );
    });

    it('is never spoken to with a parameter that is not understood', async () => {
      for (const [parameters, name] of [
        ['?tls=skip-verify', '"tls"'],
        ['?useSSL=true', '"useSSL"'],
        ['?sslmode=prefer', 'clear text'],
        ['?ssl-mode=PREFERRED', 'clear text'],
        ['?ssl={"rejectUnauthorised":false}', 'the fields'],
        ['?ssl-ca=/nowhere/ca.pem', 'ENOENT'],
        ['?ssl=true&sslmode=disable', 'twice'],
      ] as const)
        expect(await refusalOf({ databaseUrl: url + parameters })).toContain(name);
    });
  });
}
