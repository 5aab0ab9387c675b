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
});
