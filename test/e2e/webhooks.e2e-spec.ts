import { request as httpRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { APIErrorCode } from '@notionhq/client';
import { NotionConfigError, Secret } from 'nestjs-notion-auth';
import { NotionSimulator, type WebhookSubscription } from 'nestjs-notion-auth/testing';
import { isSignedWith, parseSignature } from '../../src/webhooks/webhook-signature.js';
import { WebhookApp, type WebhookAppOptions } from '../support/webhook.app.js';

/** Notion's published example. */
const EXAMPLE = {
  token: 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl',
  signature: 'sha256=461e8cbcba8a75c3edd866f0e71280f5a85cbf21eff040ebd10fe266df38a735',
};
const EXAMPLE_BODY = JSON.stringify({ verification_token: EXAMPLE.token });
const SIGNED_FOR_ANOTHER = 'sha256=' + 'ab'.repeat(32);

let simulator: NotionSimulator;
const apps: WebhookApp[] = [];

beforeEach(async () => {
  simulator = await NotionSimulator.start();
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await simulator.close();
});

async function start(options: Partial<WebhookAppOptions> = {}): Promise<WebhookApp> {
  const app = await WebhookApp.start({ simulator, ...options });
  apps.push(app);
  return app;
}

/** An application whose token is configured, and the subscription that has it. */
async function subscribed(options: Partial<WebhookAppOptions> = {}) {
  const subscription = simulator.webhookTo('');
  const webhooks = { verificationTokens: [subscription.verificationToken], ...options.options?.webhooks };
  const app = await start({ ...options, options: { ...options.options, webhooks } });
  return { app, notion: Object.assign(subscription, { url: app.url }) };
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Sends exactly these bytes and headers. */
function post(url: string, body: string | Uint8Array, headers: Headers) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = httpRequest(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const signed = (notion: WebhookSubscription, body: string | Uint8Array): [string | Uint8Array, Headers] => [
  body,
  { 'x-notion-signature': notion.sign(body).signature },
];

async function handled(app: WebhookApp, count: number): Promise<void> {
  while (app.inbox.deliveries.length < count) await sleep(10);
  expect(app.inbox.deliveries).toHaveLength(count);
}

describe('a signature', () => {
  const token = new Secret(EXAMPLE.token);
  const body = Buffer.from(EXAMPLE_BODY);
  const verify = (header: unknown, bytes: Uint8Array = body, by = token): boolean => {
    const signature = parseSignature(header);
    return signature !== null && isSignedWith(by, bytes, signature);
  };

  it("H1: is verified by Notion's own example", () => {
    expect(verify(EXAMPLE.signature)).toBe(true);
    expect(verify(EXAMPLE.signature.replace(/[a-f]/g, (digit) => digit.toUpperCase()))).toBe(false);
    expect(verify(`sha256=${EXAMPLE.signature.slice(7).toUpperCase()}`)).toBe(true);
  });

  it('H2: is broken by any changed byte of the body, and by any changed digit of its own', () => {
    for (let index = 0; index < body.length; index += 1) {
      const changed = Buffer.from(body);
      changed[index] = changed[index]! ^ 1;
      expect(verify(EXAMPLE.signature, changed)).toBe(false);
    }
    for (let index = 7; index < EXAMPLE.signature.length; index += 1) {
      const digit = EXAMPLE.signature[index] === '0' ? '1' : '0';
      expect(verify(EXAMPLE.signature.slice(0, index) + digit + EXAMPLE.signature.slice(index + 1))).toBe(
        false,
      );
    }
    expect(verify(EXAMPLE.signature, Buffer.concat([body, Buffer.from('\n')]))).toBe(false);
    expect(verify(EXAMPLE.signature, body, new Secret(`${EXAMPLE.token}x`))).toBe(false);
  });

  it('H6, E16: of another length is false, and nothing is thrown', () => {
    for (const length of [0, 1, 31, 33, 64])
      expect(isSignedWith(token, body, Buffer.alloc(length))).toBe(false);
  });
});

describe.each(['express', 'fastify'] as const)('a webhook on %s', (server) => {
  it('is answered 200, empty, and handled with what Notion said', async () => {
    const { app, notion } = await subscribed({ server });
    const { status, text } = await notion.deliver({
      type: 'comment.created',
      body: { id: 'b0a0-1', data: { page_id: 'p' } },
    });
    expect([status, text]).toEqual([200, '']);
    await handled(app, 1);
    expect(app.inbox.deliveries[0]).toMatchObject({
      event: { id: 'b0a0-1', type: 'comment.created', attempt: 1, botIds: [], data: { page_id: 'p' } },
      authorizations: [],
    });
  });

  it('H2: is refused with 401 when a byte of it was changed', async () => {
    const { app, notion } = await subscribed({ server });
    const body = Buffer.from(JSON.stringify(notion.eventOf({})));
    const [, headers] = signed(notion, body);
    for (let index = 0; index < body.length; index += 7) {
      const changed = Buffer.from(body);
      changed[index] = changed[index]! ^ 1;
      const { status } = await post(app.url, changed, headers);
      // What is no JSON any more does not even reach the guard.
      expect([400, 401]).toContain(status);
    }
    expect(app.inbox.deliveries).toEqual([]);
    expect((await post(app.url, body, headers)).status).toBe(200);
  });

  it.each([
    ['none', {}],
    ['an empty one', { 'x-notion-signature': '' }],
    ['two', { 'x-notion-signature': [SIGNED_FOR_ANOTHER, SIGNED_FOR_ANOTHER] }],
    ['no prefix', { 'x-notion-signature': 'ab'.repeat(32) }],
    ['another algorithm', { 'x-notion-signature': 'sha1=' + 'ab'.repeat(20) }],
    ['a prefix in capitals', { 'x-notion-signature': 'SHA256=' + 'ab'.repeat(32) }],
    ['63 digits', { 'x-notion-signature': 'sha256=' + 'a'.repeat(63) }],
    ['65 digits', { 'x-notion-signature': 'sha256=' + 'a'.repeat(65) }],
    ['letters that are no digits', { 'x-notion-signature': 'sha256=' + 'zz'.repeat(32) }],
    ['a space in it', { 'x-notion-signature': 'sha256= ' + 'ab'.repeat(32) }],
    ['7 KiB', { 'x-notion-signature': 'sha256=' + 'ab'.repeat(3_500) }],
    ['the right shape and another key', { 'x-notion-signature': SIGNED_FOR_ANOTHER }],
  ])('H3: with a signature header of %s is a 401', async (_what, headers) => {
    const { app, notion } = await subscribed({ server });
    const { status, text } = await post(app.url, JSON.stringify(notion.eventOf({})), headers);
    expect([status, JSON.parse(text)]).toEqual([401, { statusCode: 401, code: 'notion_webhook_refused' }]);
    expect(app.inbox.deliveries).toEqual([]);
  });

  it('H4: keeps an application from starting that does not keep raw bytes', async () => {
    const refused = start({ server, rawBody: false });
    await expect(refused).rejects.toThrow(NotionConfigError);
    await expect(refused).rejects.toThrow('rawBody: true');
  });

  it('H4: is verified as it was sent, spaces and all', async () => {
    const { app, notion } = await subscribed({ server });
    const body = JSON.stringify(notion.eventOf({}), null, 4).replaceAll('\n', '\r\n');
    expect((await post(app.url, ...signed(notion, body))).status).toBe(200);
    await handled(app, 1);
  });

  it('H10: of 2 MiB is a 413 before anything is hashed, by the parser or by us', async () => {
    const { app, notion } = await subscribed({ server });
    const body = JSON.stringify(notion.eventOf({ body: { data: 'x'.repeat(2 * 2 ** 20) } }));
    expect((await post(app.url, ...signed(notion, body))).status).toBe(413);
    const { app: roomy } = await subscribed({ server, parserLimit: 10 * 2 ** 20 });
    expect((await post(roomy.url, body, {})).status).toBe(413);
    expect(roomy.log.join('\n')).toContain('refusal=too_large answered=413');
    expect(roomy.inbox.deliveries).toEqual([]);
  });

  it('H13: is answered before a slow handler has done anything', async () => {
    const { app, notion } = await subscribed({ server });
    let finish: () => void = () => undefined;
    app.inbox.work = () => new Promise<void>((resolve) => (finish = resolve));
    // It is done only when the test says so, which is after the response.
    expect((await notion.deliver()).status).toBe(200);
    await handled(app, 1);
    finish();
  });

  it('is let in by the guard alone, too', async () => {
    const { app, notion } = await subscribed({ server });
    const guarded = app.url.replace('/notion', '/guarded');
    const body = JSON.stringify(notion.eventOf({}));
    expect(await post(guarded, ...signed(notion, body))).toEqual({ status: 201, text: 'let in' });
    expect((await post(guarded, body, {})).status).toBe(401);
  });

  it('of another content type is a 401', async () => {
    const { app, notion } = await subscribed({ server });
    const [body, headers] = signed(notion, JSON.stringify(notion.eventOf({})));
    const { status } = await post(app.url, body, { ...headers, 'content-type': 'text/plain' });
    expect(status).toBe(401);
  });
});

describe('pairing', () => {
  it('H7: takes one token, in a window that somebody opened, and never logs it', async () => {
    const app = await start();
    const notion = simulator.webhookTo(app.url);
    const stranger = simulator.webhookTo(app.url);
    expect((await stranger.pair()).status).toBe(401);
    expect(await app.pairing.latestToken()).toBeNull();
    await app.pairing.open();
    expect((await notion.pair()).status).toBe(200);
    expect((await app.pairing.latestToken())?.reveal()).toBe(notion.verificationToken);
    expect((await stranger.pair()).status).toBe(401);
    expect((await app.pairing.latestToken())?.reveal()).toBe(notion.verificationToken);
    expect((await notion.deliver()).status).toBe(200);
    expect((await stranger.deliver()).status).toBe(401);
    await handled(app, 1);
    for (const { verificationToken } of [notion, stranger]) {
      expect(app.log.join('\n')).not.toContain(verificationToken);
    }
  });

  it('H7: is refused without a window while a token is configured, whoever signs', async () => {
    const { app, notion } = await subscribed();
    const stranger = simulator.webhookTo(app.url);
    expect((await stranger.pair()).status).toBe(401);
    expect(await app.pairing.latestToken()).toBeNull();
    // Notion sends the known one again when it is asked to.
    expect((await notion.pair()).status).toBe(200);
    expect(await app.pairing.latestToken()).toBeNull();
    expect(app.inbox.deliveries).toEqual([]);
  });

  it.each([
    ['signed with another token', (body: string) => simulator.webhookTo('').sign(body).signature],
    ['not signed', () => ''],
  ])('H7: refuses a handshake that is %s, window or not', async (_how, sign) => {
    const app = await start();
    await app.pairing.open();
    const body = JSON.stringify({ verification_token: simulator.webhookTo('').verificationToken });
    expect((await post(app.url, body, { 'x-notion-signature': sign(body) })).status).toBe(401);
    expect(await app.pairing.latestToken()).toBeNull();
  });

  it('H8: is not what a body is that merely has a verification token in it', async () => {
    const app = await start();
    await app.pairing.open();
    const notion = simulator.webhookTo(app.url);
    const event = notion.eventOf({ body: { verification_token: notion.verificationToken } });
    for (const body of [
      event,
      { verification_token: notion.verificationToken, extra: 1 },
      [notion.verificationToken],
    ]) {
      expect((await post(app.url, ...signed(notion, JSON.stringify(body)))).status).toBe(401);
    }
    expect(await app.pairing.latestToken()).toBeNull();
  });

  it('H8: is not what an event is that has one of our tokens in it and no signature of it', async () => {
    const { app, notion } = await subscribed();
    await app.pairing.open();
    const stranger = simulator.webhookTo(app.url);
    const event = notion.eventOf({ body: { verification_token: notion.verificationToken } });
    const headersOf: readonly Headers[] = [
      {},
      { 'x-notion-signature': '' },
      { 'x-notion-signature': SIGNED_FOR_ANOTHER },
      { 'x-notion-signature': stranger.sign(JSON.stringify(event)).signature },
    ];
    for (const headers of headersOf) {
      expect((await post(app.url, JSON.stringify(event), headers)).status).toBe(401);
    }
    expect(app.inbox.deliveries).toEqual([]);
    expect(await app.pairing.latestToken()).toBeNull();
  });

  it.each(['', ' ', 'short', 'x'.repeat(600), 'secret_with\nline', '<your-verification-token>', 5, null])(
    'H8: refuses %j as a token',
    async (token) => {
      const app = await start();
      await app.pairing.open();
      const notion = simulator.webhookTo(app.url);
      const body = JSON.stringify({ verification_token: token });
      expect((await post(app.url, ...signed(notion, body))).status).toBe(401);
      expect(await app.pairing.latestToken()).toBeNull();
    },
  );

  it('H11: lets two tokens count while one replaces the other, and a third never', async () => {
    const { app, notion } = await subscribed();
    const old = simulator.webhookTo(app.url);
    Object.assign(old, { token: notion.verificationToken });
    notion.rotate();
    expect((await notion.deliver()).status).toBe(401);
    await app.pairing.open();
    expect((await notion.pair()).status).toBe(200);
    expect([(await notion.deliver()).status, (await old.deliver()).status]).toEqual([200, 200]);
    expect((await simulator.webhookTo(app.url).deliver()).status).toBe(401);
  });

  it('H11: takes two configured tokens', async () => {
    const [one, two, three] = [1, 2, 3].map(() => simulator.webhookTo(''));
    const tokens = [one!, two!].map(({ verificationToken }) => new Secret(verificationToken));
    const app = await start({ options: { webhooks: { verificationTokens: tokens } } });
    const statuses = [one!, two!, three!].map(
      async (subscription) => (await Object.assign(subscription, { url: app.url }).deliver()).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 401]);
  });

  it('reaches the other replicas', async () => {
    const app = await start();
    const replica = await start({ beside: app });
    const notion = simulator.webhookTo(replica.url);
    expect((await notion.deliver()).status).toBe(401);
    await app.pairing.open();
    await sleep(1_100);
    expect((await notion.pair()).status).toBe(200);
    expect((await Object.assign(notion, { url: app.url }).deliver()).status).toBe(200);
    expect(await app.pairing.retire()).toBe(0);
  });

  it('is open for an hour at most', async () => {
    const app = await start();
    for (const duration of [0, -1, Number.NaN, 3_600_001, Infinity]) {
      await expect(app.pairing.open(duration)).rejects.toThrow(RangeError);
    }
  });
});

describe('a verification token that is configured', () => {
  it.each([
    ['empty', ['']],
    ['blank', ['   ']],
    ['short', ['secret_1']],
    ['a placeholder', ['<verification-token>']],
    ['one of three', ['a', 'b', 'c'].map((letter) => `secret_${letter.repeat(3)}0123456789xyz`)],
    ['given twice', ['secret_0123456789abcxyz', 'secret_0123456789abcxyz']],
  ])('H12: keeps the application from starting when it is %s, and is not quoted', async (_how, tokens) => {
    const refused = start({ options: { webhooks: { verificationTokens: tokens } } });
    await expect(refused).rejects.toThrow('webhooks.verificationTokens (NOTION_WEBHOOK_VERIFICATION_TOKENS)');
    await expect(refused).rejects.not.toThrow(/secret_|<verif/);
  });
});

describe('an event', () => {
  it('H9: that comes again is answered, and handled once over all replicas', async () => {
    const { app, notion } = await subscribed();
    const webhooks = { verificationTokens: [notion.verificationToken] };
    const replica = await start({ beside: app, options: { webhooks } });
    const other = Object.assign(simulator.webhookTo(replica.url), { token: notion.verificationToken });
    const event = { id: '11111111-2222-4333-8444-555555555555' };
    const receipts = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        [notion, other][index % 2]!.deliver({ ...event, attempt: 1 + index }),
      ),
    );
    expect(receipts.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    await sleep(200);
    expect([...app.inbox.deliveries, ...replica.inbox.deliveries]).toHaveLength(1);
  });

  it('F9: reaches the owners of the bots that may see it, and not the rest of the workspace', async () => {
    const { app, notion } = await subscribed();
    const [ada, bob] = [await app.connect('ada'), await app.connect('bob')];
    await notion.deliver({ workspaceId: ada.workspaceId, botIds: [ada.botId] });
    await handled(app, 1);
    expect(app.inbox.deliveries[0]!.authorizations).toEqual([
      { id: ada.id, botId: ada.botId, workspaceId: ada.workspaceId, status: 'active', ownerIds: ['ada'] },
    ]);
    await notion.deliver({ workspaceId: bob.workspaceId, botIds: ['a-bot-that-is-not-here'] });
    await handled(app, 2);
    expect(app.inbox.deliveries[1]!.authorizations).toEqual([]);
  });

  it('can be followed up with a live token', async () => {
    const { app, notion } = await subscribed();
    const ada = await app.connect('ada');
    const seen: unknown[] = [];
    app.inbox.work = async ({ authorizations }, clients) => {
      for (const { id } of authorizations) seen.push((await clients.forAuthorization(id).users.me({})).id);
    };
    await notion.deliver({ workspaceId: ada.workspaceId, botIds: [ada.botId] });
    await handled(app, 1);
    while (seen.length === 0) await sleep(10);
    expect(seen).toEqual([ada.botId]);
  });

  it.each([
    ['no id', { id: undefined }],
    ['no type', { type: undefined }],
    ['an id that is none', { id: '../../etc' }],
    ['an object for an id', { id: { $ne: 1 } }],
    ['no workspace', { workspace_id: null }],
  ])('with %s is a 400, though Notion signed it', async (_what, body) => {
    const { app, notion } = await subscribed();
    expect((await notion.deliver({ body })).status).toBe(400);
    expect(app.inbox.deliveries).toEqual([]);
  });

  it('gets a 503 when too many wait, and may come again', async () => {
    const { app, notion } = await subscribed({ options: { webhooks: { maxConcurrent: 1, maxQueued: 1 } } });
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    app.inbox.work = () => gate;
    const ids = ['e-1', 'e-2', 'e-3'];
    const statuses = [];
    for (const id of ids) statuses.push((await notion.deliver({ id })).status);
    expect(statuses).toEqual([200, 200, 503]);
    finish();
    await handled(app, 2);
    expect((await notion.deliver({ id: 'e-3', attempt: 2 })).status).toBe(200);
    await handled(app, 3);
  });

  it('that is being handled is brought to its end before the process ends', async () => {
    const { app, notion } = await subscribed();
    let done = false;
    app.inbox.work = async () => {
      await sleep(300);
      done = true;
    };
    await notion.deliver();
    await handled(app, 1);
    await app.nest.close();
    expect(done).toBe(true);
  });
});

describe('the three kinds of 403 around a webhook', () => {
  async function followUp(spoil: () => void): Promise<string> {
    const { app, notion } = await subscribed();
    const ada = await app.connect('ada');
    app.inbox.work = async ({ authorizations }, clients) => {
      spoil();
      await clients.forAuthorization(authorizations[0]!.id).users.me({});
    };
    await notion.deliver({ id: 'e-1', workspaceId: ada.workspaceId, botIds: [ada.botId] });
    while (!app.log.some((line) => line.includes('webhook follow_up'))) await sleep(10);
    return app.log.filter((line) => line.includes('webhook')).join('\n');
  }

  it('are told apart: our own refusal of the delivery', async () => {
    const { app } = await subscribed();
    await simulator.webhookTo(app.url).deliver();
    expect(app.log.join('\n')).toContain('webhook refused stage=webhook refusal=bad_signature answered=401');
  });

  it("are told apart: Notion's refusal of the handler's call, with code and request id", async () => {
    const log = await followUp(() => {
      simulator.fail('api', { kind: 'status', status: 403, code: APIErrorCode.RestrictedResource });
    });
    expect(log).toMatch(
      /webhook follow_up_refused stage=webhook status=403 code=restricted_resource request=[\w-]+ .*event=e-1 type=page\.content_updated/,
    );
  });

  it('are told apart: the page of the edge before Notion', async () => {
    const log = await followUp(() => {
      simulator.fail('api', { kind: 'html', status: 403 });
    });
    expect(log).toMatch(
      /webhook follow_up_blocked stage=webhook status=403 .*event=e-1 type=page\.content_updated/,
    );
  });

  it('are told apart: no live token to call with', async () => {
    const log = await followUp(() => {
      for (const { botId } of simulator.ledger.tokens()) simulator.revokeGrant(botId);
    });
    expect(log).toContain('webhook follow_up_unauthorized stage=webhook');
    expect(log).toContain('code=notion_reconnect_required');
  });
});

type ParsedRequest = IncomingMessage & { rawBody?: Buffer; body?: unknown };

describe('an application with bodyParser: false and a parser of its own', () => {
  /** As `express.json()`, with or without a `verify` that keeps the bytes. */
  const parser =
    (keepsRawBody: boolean) => (request: ParsedRequest, _response: unknown, next: () => void) => {
      void buffer(request).then((bytes) => {
        if (keepsRawBody) request.rawBody = bytes;
        request.body = JSON.parse(bytes.toString()) as unknown;
        next();
      });
    };

  it.each([
    ['keeps the raw bytes', parser(true), 200],
    ['does not keep them, also with rawBody: true', parser(false), 401],
  ] as const)(
    'that %s starts, is told what the parser must do, and responds accordingly',
    async (_what, ownParser, expected) => {
      const { app, notion } = await subscribed({ ownParser });
      expect(app.log.join()).toContain('express.json({ verify:');
      const body = JSON.stringify(notion.eventOf({}));
      expect((await post(app.url, ...signed(notion, body))).status).toBe(expected);
    },
  );
});
