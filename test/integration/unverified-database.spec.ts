import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { NotionStoreUnavailableError } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { DatabaseWatch } from '../../src/domain/database-watch.js';
import { databaseFor, NotionApp } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

/** Each comparison ends as scripted; the last step stays. */
class ScriptedWatch extends DatabaseWatch {
  script: (() => string | null)[] = [];
  compared = 0;
  private changed: () => void = () => undefined;

  override compare(): Promise<string | null> {
    this.compared += 1;
    const next = this.script.length > 1 ? this.script.shift() : this.script[0];
    return Promise.resolve().then(next ?? (() => null));
  }

  override onConnectionChange(listener: () => void): void {
    this.changed = listener;
  }

  /** A connection broke, or a new one was made. */
  change(): void {
    this.changed();
  }
}

function notKnownNow(): never {
  throw new Error('canceling statement due to user request');
}

const watch = new ScriptedWatch();
let simulator: NotionSimulator;
let database: Awaited<ReturnType<typeof databaseFor>>;
let app: NotionApp;

/** Without the timer that looks every two seconds: each look belongs to a test. */
async function startApp(databaseWatch: DatabaseWatch): Promise<NotionApp> {
  const timer = jest
    .spyOn(globalThis, 'setInterval')
    .mockImplementation(() => setTimeout(() => undefined, 0));
  const started = await NotionApp.start(simulator, {
    ...database.options,
    providers: [{ provide: DatabaseWatch, useValue: databaseWatch }],
  });
  timer.mockRestore();
  return started;
}

beforeAll(async () => {
  simulator = await NotionSimulator.start();
  database = await databaseFor(sqlite);
  watch.script = [() => 'primary'];
  app = await startApp(watch);
});

beforeEach(async () => {
  watch.script = [() => 'primary'];
  watch.change();
  await refreshOne();
});

afterAll(async () => {
  await app.close();
  await database.drop();
  await simulator.close();
});

async function refreshOne() {
  const { id } = await app.keep(simulator.grant());
  return app.refreshes.refresh(id, { trigger: 'unauthorized' });
}

/** The connection changes once more while the claim is made. */
function primaryThenChange(): string {
  watch.change();
  return 'primary';
}

it('claims nothing while it is not known which server answers, and refreshes as soon as it is', async () => {
  const mark = simulator.ledger.mark();
  const { id } = await app.keep(simulator.grant());
  watch.script = [notKnownNow];
  watch.change();
  const refresh = () => app.refreshes.refresh(id, { trigger: 'unauthorized' });
  await expect(refresh()).rejects.toThrow(NotionStoreUnavailableError);
  expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
  watch.script = [() => 'primary'];
  expect(await refresh()).toMatchObject({ kind: 'renewed' });
  expect(simulator.ledger.since(mark).tokenRequests()).toBe(1);
});

it.each([
  ['database_unverified', 'it is not known before the request which server answers', notKnownNow],
  ['database_changed', 'another server answers before the request', () => 'promoted'],
])('gives a claim back as %s where %s, and sends later', async (code, _when, look) => {
  const mark = simulator.ledger.mark();
  const { id } = await app.keep(simulator.grant());
  const refresh = () => app.refreshes.refresh(id, { trigger: 'unauthorized' });
  watch.script = [primaryThenChange, look];
  watch.change();
  expect(await refresh()).toMatchObject({ kind: 'not_sent', failure: { code } });
  expect(simulator.ledger.since(mark).tokenRequests()).toBe(0);
  watch.script = [() => 'promoted'];
  expect(await refresh()).toMatchObject({ kind: 'renewed' });
  expect(simulator.ledger.since(mark).tokenRequests()).toBe(1);
});

it('keeps the last known server while another look finds none', async () => {
  watch.script = [primaryThenChange, () => null];
  watch.change();
  expect(await refreshOne()).toMatchObject({ kind: 'renewed' });
});

it('asks nothing while no connection changes', async () => {
  const before = watch.compared;
  await refreshOne();
  await refreshOne();
  expect(watch.compared).toBe(before);
});

it('starts, and refreshes once the server is known, where the first look fails', async () => {
  const other = new ScriptedWatch();
  other.script = [notKnownNow];
  const late = await startApp(other);
  const { id } = await late.keep(simulator.grant());
  await expect(late.refreshes.refresh(id, { trigger: 'unauthorized' })).rejects.toThrow();
  other.script = [() => 'primary'];
  expect(await late.refreshes.refresh(id, { trigger: 'unauthorized' })).toMatchObject({ kind: 'renewed' });
  await late.close();
});
