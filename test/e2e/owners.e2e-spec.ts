import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  AuthorizationStore,
  NotionAuthModule,
  NotionClientFactory,
  NotionConnectService,
  NotionOwnerInvalidError,
  NotionOwnerRequiredError,
  NotionRefreshService,
  NotionTokenService,
  Secret,
  type NotionAuthWiring,
} from 'nestjs-notion-auth';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import request from 'supertest';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { REDIRECT_URI } from '../support/notion-app.js';
import { StatementLog } from '../support/statement.log.js';
import { someConnection, someGrant } from '../support/storage.harness.js';
import { sessionUser, TenantController } from '../support/tenant.controller.js';

const KINDS = ['foreign', 'unknown'] as const;
const ADA = 'ada';
const BOB = 'bob';
/** What is sent in place of an id: none of it names anything, and none of it may reach a query as more than a text. */
const NO_IDS: readonly unknown[] = [
  `' OR 1=1--`,
  '" OR ""="',
  '*',
  '%',
  '',
  'null',
  'x'.repeat(64),
  'a\u0000b',
  { $ne: 1 },
  { $gt: '' },
  {},
  [],
  [['x']],
  0,
  1,
  true,
  null,
  undefined,
];
const NO_OWNERS: readonly unknown[] = [
  {},
  { $ne: '' },
  [],
  [ADA],
  '',
  '  ',
  0,
  1,
  NaN,
  true,
  null,
  undefined,
  Symbol('owner'),
  new String(ADA),
  { toString: () => ADA },
];

/** Whether a value names no owner, rather than being a mistake of the application. */
function isNobody(owner: unknown): boolean {
  return owner == null || typeof owner === 'string';
}

let simulator: NotionSimulator;
let folder: string;
let app: INestApplication;

beforeAll(async () => {
  simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
  folder = mkdtempSync(join(tmpdir(), 'notion-owners-'));
  app = await startApp();
});

afterAll(async () => {
  await app.close();
  await simulator.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  simulator.reset();
});

async function startApp(resolveOwner: NotionAuthWiring['resolveOwner'] = sessionUser) {
  const testing = await Test.createTestingModule({
    imports: [
      NotionAuthModule.forRoot({
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: simulator.url,
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        databaseFile: join(folder, `${randomUUID()}.sqlite`),
        revocation: { lookEveryMs: 3_600_000 },
        resolveOwner,
      }),
    ],
    controllers: [TenantController],
  }).compile();
  const nest = testing.createNestApplication();
  nest.useLogger(false);
  await nest.listen(0, '127.0.0.1');
  return nest;
}

/** Stores a grant as a completed connect would. */
async function keep(granted: SimulatedAuthorization, ownerId: string): Promise<string> {
  const result = await app.get(AuthorizationStore).connect({
    ownerId,
    clientId: granted.clientId,
    redirectUri: REDIRECT_URI,
    reconnect: null,
    grant: { ...granted, ownerKind: granted.ownerType },
    pair: {
      accessToken: new Secret(granted.accessToken),
      refreshToken: new Secret(granted.refreshToken!),
      expiresInMs: null,
    },
  });
  if (!('authorization' in result)) throw new Error('A new grant cannot be another one.');
  return result.authorization.id;
}

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function http(
  method: 'get' | 'post',
  path: string,
  { owner = ADA, body, accept = '*/*' }: { owner?: string; body?: object; accept?: string } = {},
): Promise<Seen> {
  const call = request(app.getHttpServer())
    [method](path)
    .redirects(0)
    .set({ accept, 'x-session-user': owner });
  const { status, text, headers } = await (body === undefined ? call : call.send(body));
  return { status, body: text, headers: { ...(headers as Record<string, unknown>), date: null } };
}

/** How a service answered: what it gave, or the name, code and message of what it threw. */
async function outcomeOf(work: () => unknown): Promise<unknown> {
  try {
    return { answer: (await work()) ?? null };
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    return { name, code, message };
  }
}

const service = () => app.get(NotionConnectService);
const store = () => app.get(AuthorizationStore);
const inPath = (id: unknown) => encodeURIComponent(String(id));

/** Everything public that takes an id and acts for an owner: each tried as Ada. */
const ATTEMPTS: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'GET /notion/connect?reconnect=': (id) => http('get', `/notion/connect?reconnect=${inPath(id)}`),
  'GET /notion/connect?reconnect=, for JSON': (id) =>
    http('get', `/notion/connect?reconnect=${inPath(id)}`, { accept: 'application/json' }),
  'a route with the interceptor': (id) => http('get', `/authorizations/${inPath(id)}/call`),
  'a route that disconnects': (id) => http('post', `/authorizations/${inPath(id)}/disconnect`),
  'a route that reconnects': (id) => http('post', `/authorizations/${inPath(id)}/reconnect`),
  'a route that takes the id from its body': (id) =>
    http('post', '/authorizations/disconnect', { body: { id } }),
  'NotionConnectService.authorizeUrl': (id) =>
    outcomeOf(() => service().authorizeUrl({ ownerId: ADA, reconnect: id })),
  'NotionConnectService.disconnect': (id) => outcomeOf(() => service().disconnect(id, ADA)),
  'AuthorizationStore.findForOwner': (id) => outcomeOf(() => store().findForOwner(id, ADA)),
  'AuthorizationStore.disconnect': (id) => outcomeOf(() => store().disconnect(id, ADA)),
  'AuthorizationStore.connect': (id) =>
    outcomeOf(() =>
      store().connect(
        someConnection({
          ownerId: ADA,
          clientId: simulator.clientId,
          grant: someGrant(),
          reconnect: id,
        }),
      ),
    ),
};
const attempts = Object.entries(ATTEMPTS);

describe('F1: the authorization of another owner', () => {
  let bobs: string;

  beforeAll(async () => {
    bobs = await keep(simulator.grant(), BOB);
  });

  async function stateOf(id: string): Promise<unknown> {
    const { manager } = app.get(NotionDatabase).dataSource;
    return [
      await manager.query(`SELECT * FROM notion_authorization WHERE id = '${id}'`),
      await manager.query(`SELECT * FROM notion_authorization_owner WHERE authorization_id = '${id}'`),
    ];
  }

  it.each(attempts)('is to %s what an unknown id is', async (_, attempt) => {
    const before = await stateOf(bobs);
    const mark = simulator.ledger.mark();
    const [foreign, unknown] = [await attempt(bobs), await attempt(randomUUID())];
    expect(foreign).toEqual(unknown);
    expect(JSON.stringify(foreign)).not.toContain(bobs);
    expect(await stateOf(bobs)).toEqual(before);
    expect(simulator.ledger.since(mark).requests()).toEqual([]);
  });

  it.each(attempts)('costs %s the same statements', async (_, attempt) => {
    const statementsOf = async (id: string) => {
      const log = new StatementLog();
      const { dataSource } = app.get(NotionDatabase);
      const { logger } = dataSource;
      dataSource.logger = log;
      await attempt(id).finally(() => (dataSource.logger = logger));
      // Timers of the application prune at any time.
      return log.statements.filter((sql) => !/ FROM notion_(webhook_)?event /.test(sql));
    };
    const foreign = await statementsOf(bobs);
    expect(foreign.length).toBeGreaterThan(0);
    expect(foreign).toEqual(await statementsOf(randomUUID()));
  });

  it.each(attempts)('takes %s the same time', async (_, attempt) => {
    const timesMs = { foreign: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < 40; round += 1) {
      // Now one comes first, now the other: what warms up, warms up for both.
      for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
        const id = kind === 'foreign' ? bobs : randomUUID();
        const startedMs = performance.now();
        await attempt(id);
        timesMs[kind].push(performance.now() - startedMs);
      }
    }
    // The least time is what the work itself takes: a busy machine only adds to it.
    const [foreign, unknown] = [Math.min(...timesMs.foreign), Math.min(...timesMs.unknown)];
    expect(Math.abs(foreign - unknown)).toBeLessThan(Math.max(0.25, 0.5 * Math.max(foreign, unknown)));
  });

  it('is not in the list, and still works for its owner', async () => {
    expect(JSON.parse((await http('get', '/authorizations')).body)).not.toContain(bobs);
    expect((await http('get', `/authorizations/${bobs}/call`, { owner: BOB })).status).toBe(200);
    expect(await http('post', `/authorizations/${bobs}/disconnect`, { owner: BOB })).toMatchObject({
      body: 'revoked',
    });
  });
});

describe('E17: what is no id', () => {
  it.each(attempts)('reaches nothing through %s', async (_, attempt) => {
    const mine = await keep(simulator.grant(), ADA);
    const mark = simulator.ledger.mark();
    const unknown = (await attempt(randomUUID())) as { status?: number; answer?: unknown };
    for (const id of NO_IDS) {
      const outcome = (await attempt(id as string)) as typeof unknown & { name?: string };
      // A missing or null reconnect is a plain connect, and JSON knows no undefined.
      if (outcome.status === 303 || isPlainConnect(id, outcome)) continue;
      if (outcome.status !== undefined) expect([400, 404]).toContain(outcome.status);
      else if (outcome.name !== 'TypeError') expect(outcome).toEqual(unknown);
    }
    expect(await service().list(ADA)).toContainEqual(expect.objectContaining({ id: mine, status: 'active' }));
    expect(simulator.ledger.since(mark).requests()).toEqual([]);
  });

  const isPlainConnect = (id: unknown, outcome: { answer?: unknown }) =>
    (id === null || id === undefined) && outcome.answer !== undefined && outcome.answer !== null;

  it.each(NO_IDS.map((id) => [id]))('is refused by what works for the server itself: %j', async (id) => {
    const expected = expect.objectContaining({
      name: expect.stringMatching(/^(TypeError|NotionAuthorizationNotFoundError)$/),
    });
    expect(await outcomeOf(() => app.get(NotionTokenService).getAccessToken(id as string))).toEqual(expected);
    expect(
      await outcomeOf(() => app.get(NotionRefreshService).refresh(id as string, { trigger: 'manual' })),
    ).toEqual(expected);
    expect(
      await outcomeOf(() => app.get(NotionClientFactory).fetchFor(id as string)('/v1/users/me')),
    ).toEqual(expected);
  });
});

describe('F4: an owner who is no string that says something', () => {
  it.each(NO_OWNERS.map((owner) => [owner]))('%p is refused by every service', async (owner) => {
    const mine = await keep(simulator.grant(), ADA);
    const ownerId = owner as string;
    const failure = isNobody(owner) ? NotionOwnerRequiredError : NotionOwnerInvalidError;
    await expect(service().list(ownerId)).rejects.toThrow(failure);
    await expect(service().disconnect(mine, ownerId)).rejects.toThrow(failure);
    await expect(service().authorizeUrl({ ownerId })).rejects.toThrow(failure);
    if (owner === '  ') return; // The store's owners are opaque: blanks are nobody in particular there.
    await expect(store().findForOwner(mine, ownerId)).rejects.toThrow(TypeError);
    await expect(store().listForOwner(ownerId)).rejects.toThrow(TypeError);
    await expect(store().disconnect(mine, ownerId)).rejects.toThrow(TypeError);
  });

  it('is refused by every route, whatever the resolver makes of it', async () => {
    let resolved: unknown;
    const shared = app;
    app = await startApp(() => resolved as string);
    try {
      const mine = await keep(simulator.grant(), ADA);
      for (resolved of NO_OWNERS) {
        for (const path of ['/notion/connect', `/authorizations/${mine}/call`]) {
          expect((await http('get', path)).status).toBe(isNobody(resolved) ? 401 : 500);
        }
      }
      resolved = ADA;
      expect((await http('get', `/authorizations/${mine}/call`)).status).toBe(200);
    } finally {
      await app.close();
      app = shared;
    }
  });

  it('F2: is not looked for in query, body or header', async () => {
    const bobs = await keep(simulator.grant(), BOB);
    const path = `/authorizations/${bobs}/disconnect?ownerId=${BOB}&owner_id=${BOB}&owner=${BOB}`;
    const body = { id: bobs, ownerId: BOB, owner_id: BOB, owner: BOB };
    expect((await http('post', path, { body })).status).toBe(404);
    const disguised = request(app.getHttpServer())
      .get(`/authorizations/${bobs}/call?ownerId=${BOB}`)
      .set({ 'x-session-user': ADA, ownerid: BOB, 'x-owner-id': BOB, owner: BOB });
    expect((await disguised).status).toBe(404);
  });
});

describe('F5: two owners of one grant', () => {
  it('share one credential, which outlives the one who leaves', async () => {
    const granted = simulator.grant();
    const id = await keep(granted, ADA);
    expect(await keep(granted, BOB)).toBe(id);
    const rows = await app
      .get(NotionDatabase)
      .dataSource.query(`SELECT id FROM notion_authorization WHERE bot_id = '${granted.botId}'`);
    expect(rows).toEqual([{ id }]);
    simulator.expireAccessToken(granted.botId);
    const mark = simulator.ledger.mark();
    const callAs = (owner: string) => http('get', `/authorizations/${id}/call`, { owner });
    expect(await callAs(ADA)).toMatchObject({ body: JSON.stringify({ id, status: 404 }) });
    expect(await callAs(BOB)).toMatchObject({ body: JSON.stringify({ id, status: 404 }) });
    const since = simulator.ledger.since(mark);
    expect(since.refreshes()).toBe(1);
    expect(since.apiCalls({ status: 401 })).toBe(1);
    expect((await http('post', `/authorizations/${id}/disconnect`)).body).toBe('unlinked');
    expect((await callAs(ADA)).status).toBe(404);
    expect(await callAs(BOB)).toMatchObject({ body: JSON.stringify({ id, status: 404 }) });
    expect(since.revocations()).toBe(0);
    expect(since.refreshes()).toBe(1);
  });
});

describe('F11: the person who allowed access', () => {
  it('leaves no name, no e-mail address and no picture behind', async () => {
    const person = {
      id: randomUUID(),
      name: 'Zephyrine Quillfeather',
      email: 'zephyrine.quillfeather@notion.example',
    };
    const nosy = await NotionSimulator.start({ redirectUris: [REDIRECT_URI], people: [person] });
    const kept = mkdtempSync(join(tmpdir(), 'notion-person-'));
    const lines: string[] = [];
    const write = (...message: unknown[]) => void lines.push(message.map(String).join(' '));
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          clientId: nosy.clientId,
          clientSecret: nosy.clientSecret,
          redirectUris: [REDIRECT_URI],
          apiBaseUrl: nosy.url,
          databaseFile: join(kept, 'notion.sqlite'),
          refresh: { journalFolder: join(kept, 'journal') },
          resolveOwner: sessionUser,
        }),
      ],
    }).compile();
    const nest = testing.createNestApplication();
    nest.useLogger({ log: write, error: write, warn: write, debug: write, verbose: write, fatal: write });
    await nest.listen(0, '127.0.0.1');
    try {
      const browser = request.agent(nest.getHttpServer());
      const departure = await browser.get('/notion/connect').set('x-session-user', ADA).redirects(0);
      const answered = nosy.ledger.mark();
      const { pathname, search } = new URL(
        nosy.allow(String(departure.headers['location']), { person: person.id }),
      );
      // Over plain HTTP the agent would keep the cookie, which is for HTTPS only, to itself.
      const cookie = String(departure.headers['set-cookie']).split(';')[0]!;
      const arrival = await browser
        .get(pathname + search)
        .set({ cookie, 'x-session-user': ADA })
        .redirects(0);
      expect(arrival.status).toBe(303);
      expect(nosy.ledger.since(answered).tokenRequests()).toBe(1);
      const [authorization] = await nest.get(NotionConnectService).list(ADA);
      expect(authorization).toMatchObject({ ownerUserId: person.id, ownerKind: 'user' });
      await nest.get(NotionRefreshService).refresh(authorization!.id, { trigger: 'manual' });
      const files = readdirSync(kept, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
      const everything = [
        ...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')),
        ...lines,
        JSON.stringify(authorization),
      ].join('\n');
      // The scan sees what there is to see.
      expect(everything).toContain(person.id);
      for (const trace of ['Zephyrine', 'Quillfeather', 'notion.example', 'avatar_url']) {
        expect(everything.toLowerCase()).not.toContain(trace.toLowerCase());
      }
    } finally {
      await nest.close();
      await nosy.close();
      rmSync(kept, { recursive: true });
    }
  });
});
