import { randomBytes } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TcpProxy } from '../../proofs/harness/tcp.proxy.js';
import { HealthApp, MovedClock } from '../support/health.app.js';
import { databaseFor, REDIRECT_URI } from '../support/notion-app.js';
import { postgres } from '../support/storage.harness.js';

/** Accepts every connection and never says a word. */
async function blackHole() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('health while the database and Notion swallow everything', () => {
  const clock = new MovedClock();
  let database: Awaited<ReturnType<typeof databaseFor>>;
  let notion: Awaited<ReturnType<typeof blackHole>>;
  let wire: TcpProxy;
  let app: HealthApp;

  beforeAll(async () => {
    database = await databaseFor(postgres);
    notion = await blackHole();
    const url = String(database.options.databaseUrl);
    wire = await TcpProxy.start({ port: Number(new URL(url).port) });
    app = await HealthApp.start(
      {
        clientId: 'client',
        clientSecret: randomBytes(24).toString('hex'),
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: `http://127.0.0.1:${String(notion.port)}`,
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        databaseUrl: wire.inFrontOf(url),
        runMigrations: true,
      },
      clock,
    );
    expect((await app.probe('/health/ready')).status).toBe(200);
    wire.spoil({ timeoutMs: 'for ever' });
  }, 60_000);

  afterAll(async () => {
    wire.heal();
    wire.resetAll();
    await app.close();
    await Promise.all([wire.close(), notion.close()]);
    await database.drop();
  }, 60_000);

  it.each(['/health/ready', '/health/notion', '/health/live'])(
    'I4: answers %s within 250 ms, although nothing behind it ever does',
    async (path) => {
      const took: number[] = [];
      for (let poll = 0; poll < 10; poll += 1) {
        clock.moveOn(5_100);
        took.push((await app.probe(path)).tookMs);
      }
      // Of a busy machine's polls some are slow; a poll that waits for what never comes is slow each time.
      expect(Math.min(...took)).toBeLessThan(250);
    },
    60_000,
  );

  it('I7: is alive, and not ready', async () => {
    expect((await app.probe('/health/live')).status).toBe(200);
    const { status, details } = await app.probe('/health/ready');
    expect([status, details.database]).toEqual([503, 'down']);
    expect((await app.probe('/health/notion')).details).toMatchObject({ status: 'up', scope: 'replica' });
  });
});
