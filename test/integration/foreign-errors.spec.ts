import { createServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Secret, type Authorization } from 'nestjs-notion-auth';
import { NotionSimulator, type Fault } from 'nestjs-notion-auth/testing';
import { databaseFor, NotionApp, type NotionAppOptions } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const FAULTS: readonly Fault[] = [
  { kind: 'drop_before' },
  { kind: 'drop_before', reset: true },
  { kind: 'drop_after' },
  { kind: 'truncate' },
  { kind: 'delay', ms: 2_000 },
];

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

async function start(options: NotionAppOptions = {}): Promise<NotionApp> {
  const app = await NotionApp.start(simulator, {
    ...storage.options,
    outbound: { callTimeoutMs: 500 },
    ...options,
  });
  apps.push(app);
  return app;
}

function callsOf(app: NotionApp, { id }: Authorization): readonly (() => Promise<unknown>)[] {
  const client = app.clients.forAuthorization(id, { retry: false });
  return [
    () => app.clients.fetchFor(id)('/v1/users/me', { headers: { 'notion-version': '2026-03-11' } }),
    () => client.users.me({}),
  ];
}

function asJson(value: unknown): string {
  const text: unknown = JSON.stringify(value);
  return typeof text === 'string' ? text : '';
}

/** The error and everything behind it, however somebody might log it. */
function shown(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && parts.length < 50;) {
    parts.push(
      inspect(at, { depth: 10, showHidden: true }),
      asJson(at),
      at instanceof Error ? at.stack! : '',
    );
    at = (at as { cause?: unknown }).cause;
  }
  return parts.join('\n');
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => null,
    (reason: unknown) => reason,
  );
}

function expectNothingOf(text: string, ...tokens: readonly string[]): void {
  for (const token of tokens) {
    expect(text.includes(token)).toBe(false);
    expect(text.includes(Buffer.from(token).toString('base64').slice(3, -4))).toBe(false);
    expect(text.includes(Buffer.from(token).toString('hex'))).toBe(false);
  }
}

describe("somebody else's error", () => {
  it.each(FAULTS)('E11: of a call that fails by %j holds no token, however it is printed', async (fault) => {
    const app = await start();
    const granted = simulator.grant();
    const authorization = await app.keep(granted);
    for (const call of callsOf(app, authorization)) {
      simulator.fail('api', fault);
      const error = await failureOf(call);
      expect(error).not.toBeNull();
      expectNothingOf(shown(error), granted.accessToken, granted.refreshToken!);
      simulator.clearFaults();
    }
  });

  it('E11: of a server that is not there holds no token', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const app = await start({ apiBaseUrl: `http://127.0.0.1:${port}` });
    const granted = simulator.grant();
    const authorization = await app.keep(granted);
    for (const call of callsOf(app, authorization)) {
      const error = await failureOf(call);
      expect(error).not.toBeNull();
      expectNothingOf(shown(error), granted.accessToken, granted.refreshToken!);
    }
    const outcome = await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
    expectNothingOf(shown(outcome), granted.accessToken, granted.refreshToken!, simulator.clientSecret);
  });

  it.each(['\r\nx-evil: 1', '\n', '\0', '…'])(
    'E11: of a token that no header can hold (%j) does not have it in its message',
    async (odd) => {
      const app = await start();
      const granted = simulator.grant();
      const accessToken = `${granted.accessToken}${odd}`;
      const { authorization } = (await app.store.connect({
        ownerId: 'owner-1',
        clientId: granted.clientId,
        redirectUri: 'https://app.example/notion/callback',
        reconnect: null,
        grant: { ...granted, ownerKind: granted.ownerType },
        pair: { accessToken: new Secret(accessToken), refreshToken: null, expiresInMs: null },
      })) as { authorization: Authorization };
      for (const call of callsOf(app, authorization)) {
        const error = await failureOf(call);
        expect(error).not.toBeNull();
        expectNothingOf(shown(error), granted.accessToken);
      }
    },
  );
});
