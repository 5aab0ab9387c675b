import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { PostgresServer } from '../../proofs/harness/postgres.server.js';
import { ConnectApp, REDIRECT_URI } from '../support/connect.app.js';
import { TestBrowser } from '../support/test-browser.js';

describe('connecting while PostgreSQL is stopped', () => {
  const leftovers = new Leftovers();
  let simulator: NotionSimulator;
  let server: PostgresServer;
  let app: ConnectApp;

  beforeAll(async () => {
    simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
    server = await PostgresServer.start(leftovers, { fsync: false });
    const { url: notionUrl, clientId, clientSecret } = simulator;
    app = await ConnectApp.start({
      notionUrl,
      clientId,
      clientSecret,
      databaseUrl: await server.createDatabase(),
      refresh: { callerWaitMs: 3_000 },
    });
  }, 60_000);

  afterAll(async () => {
    await app.close();
    await simulator.close();
    await leftovers.clear();
  }, 60_000);

  it('A20: answers 503 without a word of the code, asks nothing of Notion, and goes on when it is back', async () => {
    const browser = new TestBrowser(app.url);
    const { location } = await browser.get('/notion/connect');
    const callback = new URL(simulator.allow(location));
    const path = callback.pathname + callback.search;
    await server.stop('immediate');
    const mark = simulator.ledger.mark();
    const lines = ConnectApp.log.length;

    const pages = await Promise.all([path, path, path, '/notion/connect'].map((visit) => browser.get(visit)));
    for (const page of pages) {
      expect([page.status, page.location, page.headers['set-cookie']]).toEqual([503, '', undefined]);
      expect(page.text).toContain('This cannot be saved right now');
    }
    expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
    const shown = [...pages.map(({ text }) => text), ...ConnectApp.log.slice(lines)].join('\n');
    for (const secret of ['code', 'state'].map((name) => callback.searchParams.get(name)!)) {
      expect(shown).not.toContain(secret);
    }
    expect(shown).not.toMatch(/ECONNREFUSED.*127|SELECT|UPDATE|\n {4}at /);

    await server.boot();
    expect((await browser.get(path)).status).toBe(303);
    expect(simulator.ledger.since(mark).tokenRequests()).toBe(1);
  }, 60_000);

  it('goes on connecting when it is stopped after the exchange, for longer than the request', async () => {
    const browser = new TestBrowser(app.url, 'owner-patient');
    const { location } = await browser.get('/notion/connect');
    const callback = new URL(simulator.allow(location, { person: simulator.grant().ownerUserId! }));
    const mark = simulator.ledger.mark();
    simulator.configure({ delayMs: { token: 2_000 } });
    const arriving = browser.get(callback.pathname + callback.search);
    while (simulator.ledger.since(mark).tokenRequests() === 0) await sleep(5);
    await server.stop('immediate');
    const page = await arriving;
    expect(page.status).toBe(202);
    expect(page.text).toContain('You do not have to do anything.');
    const completed = ConnectApp.next('connect completed');
    await server.boot();
    await completed;
    const [authorization] = await app.connect.list('owner-patient');
    expect(authorization).toMatchObject({ status: 'active', version: 1 });
    const token = await app.tokens.getAccessToken(authorization!.id);
    expect(simulator.ledger.isLive(token.reveal())).toBe(true);
  }, 60_000);
});
