import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, ForbiddenException, type CanActivate } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { NotionAuthModule, NotionConfigError, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionAuthConsoleModule, type NotionAuthConsoleOptions } from 'nestjs-notion-auth/console';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { consoleContract } from '../contracts/console.contract.js';
import { ConsoleApp, type ConsoleAppOptions } from '../support/console/console.app.js';
import { Operator } from '../support/console/operator.js';
import { databaseFor, REDIRECT_URI } from '../support/notion-app.js';
import { statementsDuring } from '../support/statement.recorder.js';
import { sqlite } from '../support/storage.harness.js';

consoleContract(sqlite);

describe('mounting the console', () => {
  let simulator: NotionSimulator;
  let storage: Awaited<ReturnType<typeof databaseFor>>;
  let options: NotionAuthOptions;
  let app: ConsoleApp | null = null;

  beforeEach(async () => {
    simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
    storage = await databaseFor(sqlite);
    options = {
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: simulator.url,
      encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
      ...storage.options,
    };
  });

  afterEach(async () => {
    await app?.close();
    app = null;
    await simulator.close();
    await storage.drop();
  });

  async function start(about: ConsoleAppOptions = {}): Promise<ConsoleApp> {
    app = await ConsoleApp.start(options, about);
    return app;
  }

  function refusalOf(given: unknown): Promise<unknown> {
    return Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({ ...options, resolveOwner: () => 'owner-1' }),
        NotionAuthConsoleModule.forRoot(given as NotionAuthConsoleOptions),
      ],
    })
      .compile()
      .then(
        () => null,
        (error: unknown) => error,
      );
  }

  it.each<[string, unknown]>([
    ['no guard', { path: 'console' }],
    ['no options at all', undefined],
    ['a guard that is none', { guard: Date }],
    ['a function as a guard', { guard: () => true }],
    ['null as a guard', { guard: null }],
  ])('I3: does not start with %s, and names the option', async (_, given) => {
    const refusal = await refusalOf(given);
    expect(refusal).toBeInstanceOf(NotionConfigError);
    expect((refusal as NotionConfigError).problems).toEqual([
      expect.stringMatching(/^NotionAuthConsoleModule: guard is missing/),
    ]);
  });

  it('names every problem at once, and no value', async () => {
    const refusal = await refusalOf({ guard: null, path: ':id/*secret', actor: 'me' });
    expect((refusal as NotionConfigError).problems).toHaveLength(3);
    expect(String(refusal)).not.toContain('secret');
  });

  it('takes an instance as a guard, and answers with what it throws', async () => {
    const guard: CanActivate = {
      canActivate: () => {
        throw new ForbiddenException('not today');
      },
    };
    const { url } = await start({ console: { guard } });
    const { status, text } = await new Operator(`${url}/notion/console`).get();
    expect([status, JSON.parse(text)]).toEqual([403, expect.objectContaining({ message: 'not today' })]);
  });

  it.each<[string, ConsoleAppOptions, string]>([
    ['on Express', {}, '/notion/console'],
    ['on Fastify', { isFastify: true }, '/notion/console'],
    ['with a global prefix', { globalPrefix: 'api/v1', console: { path: 'ops' } }, '/api/v1/ops'],
    [
      'on Fastify with a prefix',
      { isFastify: true, globalPrefix: 'api', console: { path: '/x/y/' } },
      '/api/x/y',
    ],
  ])('has links that lead where they say, %s', async (_, about, path) => {
    const { url } = await start(about);
    const operator = new Operator(url + path);
    const id = await app!.keep(simulator.grant(), 'owner-1');
    const visited = new Set<string>();
    const waiting = [path, ...(about.isFastify === true ? [] : [`${path}/`, `${path}/authorizations/`])];
    while (waiting.length > 0) {
      const at = waiting.pop()!;
      if (visited.has(at)) continue;
      visited.add(at);
      const page = await new Operator(url).get(at);
      expect([at, page.status]).toEqual([at, 200]);
      for (const [, href] of page.text.matchAll(/<a [^>]*href="([^"#]+)"/g)) {
        const { pathname, search } = new URL(href!.replaceAll('&amp;', '&'), url + at);
        waiting.push(pathname + search);
      }
    }
    expect([...visited].filter((each) => each.startsWith(`${path}/authorizations/${id}`))).toHaveLength(1);
    expect([...visited].every((each) => each.startsWith(path))).toBe(true);
    expect((await operator.press(id, 'refresh')).text).toContain('data-outcome="renewed"');
    const asked = await operator.press(id, 'disconnect');
    expect(asked.text).toContain('Yes, disconnect');
    expect((await operator.press(id, 'disconnect', { confirmed: 'yes' })).text).toContain(
      'data-outcome="revoked"',
    );
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('asks the database for its figures once in five seconds, however many look', async () => {
    const { url, database } = await start();
    const operator = new Operator(`${url}/notion/console`);
    await operator.get();
    const statements = await statementsDuring(database.dataSource, () =>
      Promise.all(Array.from({ length: 50 }, () => operator.get())),
    );
    expect(statements.length).toBeLessThanOrEqual(1);
  });

  it('says that the database does not answer, and goes on showing what it knows', async () => {
    const { url, database } = await start();
    const operator = new Operator(`${url}/notion/console`);
    const id = await app!.keep(simulator.grant(), 'owner-1');
    const formToken = await operator.formToken(id);
    await database.dataSource.query('ALTER TABLE notion_authorization RENAME TO away');
    await database.dataSource.query('ALTER TABLE notion_refresh_attempt RENAME TO attempts_away');
    const overview = await operator.get();
    expect([overview.status, overview.text.includes('The database does not answer')]).toEqual([200, true]);
    for (const path of ['/authorizations', `/authorizations/${id}`]) {
      expect([path, (await operator.get(path)).status]).toEqual([path, 503]);
    }
    const { status, location } = await operator.post(`/authorizations/${id}/refresh`, { formToken });
    expect([status, location.includes('notion_store_unavailable')]).toEqual([303, true]);
    expect(simulator.ledger.refreshes()).toBe(0);
  });

  it('is not there unless it was asked for', async () => {
    @Controller('other')
    class OtherController {
      @Get()
      get(): string {
        return 'other';
      }
    }
    const testing = await Test.createTestingModule({
      imports: [NotionAuthModule.forRoot({ ...options, resolveOwner: () => 'owner-1' })],
      controllers: [OtherController],
    }).compile();
    const nest = testing.createNestApplication({ logger: false });
    await nest.listen(0, '127.0.0.1');
    const { status } = await new Operator(`${await nest.getUrl()}/notion/console`).get();
    await nest.close();
    expect(status).toBe(404);
  });
});
