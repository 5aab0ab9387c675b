import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import type { NotionAuthConsoleOptions } from 'nestjs-notion-auth/console';
import { ConsoleApp } from '../support/console/console.app.js';
import { Operator } from '../support/console/operator.js';
import { REDIRECT_URI } from '../support/notion-app.js';
import { PrefixProxy } from '../support/prefix.proxy.js';

const INSIDE = 'app.internal:8080';

let simulator: NotionSimulator;
let proxy: PrefixProxy;
let app: ConsoleApp | undefined;

beforeEach(async () => {
  simulator = await NotionSimulator.start();
  proxy = await PrefixProxy.start('/ops', INSIDE);
});

afterEach(async () => {
  await app?.close();
  await proxy.close();
  await simulator.close();
});

/** The console as a browser reaches it: below a path that the proxy removes, under a host that it replaces. */
async function open(console: Partial<NotionAuthConsoleOptions> = {}) {
  const { clientId, clientSecret, url: apiBaseUrl } = simulator;
  const options = {
    clientId,
    clientSecret,
    apiBaseUrl,
    redirectUris: [REDIRECT_URI],
    databaseFile: ':memory:',
  };
  app = await ConsoleApp.start(options, { console });
  proxy.passTo(Number(new URL(app.url).port));
  const origin = `http://127.0.0.1:${proxy.port}`;
  const operator = new Operator(`${origin}/ops/notion/console`);
  const id = await app.keep(simulator.grant(), 'owner-1');
  const formToken = await operator.formToken(id);
  const refresh = (headers: Readonly<Record<string, string>>) =>
    operator.post(`/authorizations/${id}/refresh`, { formToken }, headers);
  return { origin, operator, id, refresh };
}

describe('the console behind a proxy that writes another Host and removes a path prefix', () => {
  it('takes forms from a browser that sends Sec-Fetch-Site', async () => {
    const { operator, id } = await open();
    expect((await operator.press(id, 'refresh')).text).toContain('Refreshed');
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('names both addresses and the option to a browser that sends Origin alone', async () => {
    const { origin, refresh } = await open();
    const { status, text } = await refresh({ origin });
    expect(status).toBe(403);
    for (const part of [origin, INSIDE, 'publicOrigin', 'X-Forwarded-Host']) expect(text).toContain(part);
    expect(simulator.ledger.refreshes()).toBe(0);
  });

  it('takes forms with Origin alone when publicOrigin is configured, and none from another site', async () => {
    const { origin, refresh } = await open({ publicOrigin: `http://127.0.0.1:${proxy.port}` });
    expect((await refresh({ origin: 'https://evil.example' })).status).toBe(403);
    expect(simulator.ledger.refreshes()).toBe(0);
    expect((await refresh({ origin })).status).toBe(303);
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('takes forms with Origin alone when the proxy sends X-Forwarded-Host', async () => {
    const { origin, refresh } = await open();
    expect((await refresh({ origin, 'x-forwarded-host': new URL(origin).host })).status).toBe(303);
  });
});
