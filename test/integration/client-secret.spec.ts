import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { NotionConfigError, Secret, type Authorization, type ClientSecretSource } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { databaseFor, NotionApp, type NotionAppOptions } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const PEOPLE = 50;
const NEW_SECRET = 'secret_the-next-one-of-this-connection';
const TOKEN_PATH = '/v1/oauth/token';

let simulator: NotionSimulator;
let storage: Awaited<ReturnType<typeof databaseFor>>;
const apps: NotionApp[] = [];

beforeEach(async () => {
  simulator = await NotionSimulator.start();
  storage = await databaseFor(sqlite);
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await simulator.close();
  await storage.drop();
});

async function start(options: NotionAppOptions): Promise<NotionApp> {
  const app = await NotionApp.start(simulator, { ...storage.options, ...options });
  apps.push(app);
  return app;
}

async function keepPeople(app: NotionApp, count = PEOPLE): Promise<Authorization[]> {
  const people: Authorization[] = [];
  for (let person = 0; person < count; person++) people.push(await app.keep(simulator.grant()));
  return people;
}

function refreshAll(app: NotionApp, people: readonly Authorization[]) {
  return Promise.all(people.map(({ id }) => app.refreshes.refresh(id, { trigger: 'manual' })));
}

function tokenRequests(): number {
  return simulator.ledger.requests().filter(({ path }) => path === TOKEN_PATH).length;
}

/** How often somebody was to be told that Notion refuses the client, over all processes. */
async function alarms(app: NotionApp): Promise<readonly unknown[]> {
  return app.database.read(({ manager }) =>
    manager.query<unknown[]>("SELECT name, reason FROM notion_event WHERE name = 'configuration_alarm'"),
  );
}

/** As when the half minute of the breaker, and of whoever met it first, is over. */
async function openGates(app: NotionApp): Promise<void> {
  await app.database.read(({ manager }) => manager.query('UPDATE notion_refresh_gate SET closed_until = 0'));
  await app.database.read(({ manager }) =>
    manager.query('UPDATE notion_authorization SET next_attempt_at = NULL'),
  );
}

describe('a client secret that was rotated at Notion', () => {
  it('D7: marks nobody, stops the refreshes, and heals without a restart when the function knows the new one', async () => {
    let kept = new Secret(simulator.clientSecret);
    const app = await start({ clientSecret: () => Promise.resolve(kept) });
    const people = await keepPeople(app);
    simulator.rotateClientSecret(NEW_SECRET);

    const refused = await refreshAll(app, people);
    expect(refused.filter(({ kind }) => kind === 'renewed')).toEqual([]);
    for (const { id } of people)
      expect(await app.find(id)).toMatchObject({ status: 'active', reason: null, version: 1 });
    // Those that were on their way when the first refusal came, and nobody after the breaker opened.
    expect(tokenRequests()).toBeLessThanOrEqual(8);
    expect(await refreshAll(app, people)).toMatchObject(people.map(() => ({ kind: 'postponed' })));
    expect(tokenRequests()).toBeLessThanOrEqual(8);
    const oneAlarm = [{ name: 'configuration_alarm', reason: 'configuration' }];
    expect(await alarms(app)).toEqual(oneAlarm);

    // Somebody looks whether it is over, finds that it is not, and tells nobody again.
    await openGates(app);
    const sentBefore = tokenRequests();
    const [stillRefused] = await refreshAll(app, people.slice(0, 1));
    expect([stillRefused?.kind, tokenRequests() - sentBefore]).toEqual(['configuration', 1]);
    expect(await refreshAll(app, people.slice(1))).toMatchObject(
      people.slice(1).map(() => ({ kind: 'postponed' })),
    );
    expect(await alarms(app)).toEqual(oneAlarm);

    kept = new Secret(NEW_SECRET);
    await openGates(app);
    const [probe] = await refreshAll(app, people.slice(0, 1));
    expect(probe).toMatchObject({ kind: 'renewed' });
    expect(await refreshAll(app, people)).toMatchObject(people.map(() => ({ kind: 'renewed' })));
    for (const { id } of people) expect(await app.find(id)).toMatchObject({ status: 'active', reason: null });
    expect(await alarms(app)).toEqual(oneAlarm);
  });

  it('D7: costs no refresh at all when the function already knows the new one', async () => {
    let kept = simulator.clientSecret;
    const app = await start({ clientSecret: () => kept });
    const people = await keepPeople(app);
    simulator.rotateClientSecret(NEW_SECRET);
    kept = NEW_SECRET;
    expect(await refreshAll(app, people)).toMatchObject(people.map(() => ({ kind: 'renewed' })));
  });

  it('D7: is replaced by the coming one, which is tried once and then kept', async () => {
    const app = await start({ clientSecretNext: NEW_SECRET });
    const people = await keepPeople(app, 5);
    simulator.rotateClientSecret(NEW_SECRET);
    for (const { id } of people)
      expect(await app.refreshes.refresh(id, { trigger: 'manual' })).toMatchObject({ kind: 'renewed' });
    expect(tokenRequests()).toBe(people.length + 1);
  });

  it('D7: keeps the present secret when the function fails, and shows nothing of what it said', async () => {
    let isBroken = false;
    const source: ClientSecretSource = () => {
      if (isBroken) throw new Error(`vault refused ${NEW_SECRET}`);
      return simulator.clientSecret;
    };
    const lines: string[] = [];
    Logger.overrideLogger({
      log: (...parts: unknown[]) => lines.push(JSON.stringify(parts)),
      warn: (...parts: unknown[]) => lines.push(JSON.stringify(parts)),
      error: (...parts: unknown[]) => lines.push(JSON.stringify(parts)),
    });
    const app = await start({ clientSecret: source });
    const [person] = await keepPeople(app, 1);
    isBroken = true;
    simulator.fail('refresh', { kind: 'status', status: 401, code: 'invalid_client' }, { times: 1 });
    const refused = await app.refreshes.refresh(person!.id, { trigger: 'manual' });
    expect(refused).toMatchObject({ kind: 'configuration' });
    await openGates(app);
    expect(await app.refreshes.refresh(person!.id, { trigger: 'manual' })).toMatchObject({ kind: 'renewed' });
    expect(lines.join('\n')).not.toContain(NEW_SECRET);
  });

  it('keeps the application from starting when the function fails then, and quotes nothing', async () => {
    const starting = start({
      clientSecret: () => Promise.reject(new Error(`vault refused ${NEW_SECRET}`)),
    });
    const error = await starting.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(NotionConfigError);
    expect(String(error)).toContain('clientSecret (NOTION_CLIENT_SECRET): its provider failed');
    expect(String(error)).not.toContain(NEW_SECRET);
  });
});
