import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  Post,
  Req,
  Res,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  VersioningType,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  NotionAuthExceptionFilter,
  NotionAuthModule,
  NotionCallback,
  NotionCallbackGuard,
  NotionConnectFilter,
  NotionConnectService,
  NotionTokenInterceptor,
  VerifiedCallback,
  type ConnectOptions,
  type NotionAuthOptions,
  type NotionAuthWiring,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import request from 'supertest';

type Headers = Readonly<Record<string, string>>;
type Method = 'get' | 'post' | 'head';

const FRONT_END = 'https://front.example';
const NAVIGATION = { accept: 'text/html,application/xhtml+xml', 'sec-fetch-mode': 'navigate' };
const ADA = { authorization: 'Bearer user-ada' };
const PLATFORMS = ['Express', 'Fastify'] as const;
type Platform = (typeof PLATFORMS)[number];

interface Setting {
  readonly platform?: Platform;
  readonly connect?: ConnectOptions;
  readonly wiring?: Partial<NotionAuthWiring>;
  readonly options?: Partial<NotionAuthOptions>;
  readonly controllers?: Type<unknown>[];
  /** A guard for the whole application. */
  readonly guard?: Type<CanActivate>;
  readonly prepare?: (nest: INestApplication) => void;
}

let simulator: NotionSimulator;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  simulator = await NotionSimulator.start();
});

afterAll(async () => {
  await simulator.close();
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

function userOf(of: { headers: Record<string, string | undefined> }): string | undefined {
  return /^Bearer user-(\w+)$/.exec(of.headers['authorization'] ?? '')?.[1];
}

/** An application on a port of its own, and what it logs. */
class Site {
  readonly lines: string[] = [];

  private constructor(readonly nest: INestApplication) {}

  static async start({ platform = 'Express', ...setting }: Setting = {}): Promise<Site> {
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          clientId: simulator.clientId,
          clientSecret: simulator.clientSecret,
          redirectUris: ['https://app.example/notion/callback'],
          apiBaseUrl: simulator.url,
          databaseFile: ':memory:',
          connect: setting.connect,
          resolveOwner: userOf,
          ...setting.options,
          ...setting.wiring,
        }),
      ],
      controllers: setting.controllers ?? [],
      providers: setting.guard === undefined ? [] : [{ provide: APP_GUARD, useClass: setting.guard }],
    }).compile();
    const nest =
      platform === 'Express'
        ? testing.createNestApplication()
        : testing.createNestApplication(new FastifyAdapter());
    const site = new Site(nest);
    const record = (...parts: unknown[]): void => void site.lines.push(parts.map(String).join(' '));
    nest.useLogger({ log: record, warn: record, error: record, debug: record, fatal: record });
    setting.prepare?.(nest);
    await nest.listen(0, '127.0.0.1');
    opened.push(nest);
    return site;
  }

  get connect(): NotionConnectService {
    return this.nest.get(NotionConnectService);
  }

  linesWith(text: string): string[] {
    return this.lines.filter((line) => line.includes(text));
  }
}

interface Seen {
  readonly status: number;
  readonly location: string;
  readonly setCookie: string | undefined;
  readonly text: string;
  readonly type: string;
}

/** A browser: its cookies, and nothing that follows a redirect. */
class Visitor {
  private cookie = '';

  constructor(private readonly site: Site) {}

  async send(method: Method, path: string, headers: Headers = {}, body?: object): Promise<Seen> {
    const call = request(this.site.nest.getHttpServer() as never)
      [method](path)
      .redirects(0)
      .set(this.cookie === '' ? headers : { ...headers, cookie: this.cookie });
    const answer = await (body === undefined ? call : call.send(body));
    const setCookie = (answer.headers['set-cookie'] as unknown as string[] | undefined)?.[0];
    if (setCookie !== undefined) this.cookie = setCookie.split(';')[0]!;
    return {
      status: answer.status,
      location: answer.headers['location'] ?? '',
      setCookie,
      // A response to HEAD has none.
      text: method === 'head' ? '' : answer.text,
      type: answer.type,
    };
  }

  /** Follows a link, as a browser does: without the bearer token. */
  navigate(path: string, headers: Headers = {}): Promise<Seen> {
    return this.send('get', path, { ...NAVIGATION, ...headers });
  }

  /** Starts with the bearer token, as a script does. @returns Notion's address. */
  async start(query = '', path = '/notion/connect'): Promise<string> {
    const { status, text } = await this.send('post', path + query, ADA);
    expect(status).toBe(200);
    return (JSON.parse(text) as { url: string }).url;
  }
}

function allow(url: string, choice: Parameters<NotionSimulator['allow']>[1] = {}): string {
  return localPart(simulator.allow(url, choice));
}

function localPart(callback: string): string {
  const { pathname, search } = new URL(callback);
  return pathname + search;
}

async function exchangesDuring(work: () => Promise<unknown>): Promise<number> {
  const mark = simulator.ledger.mark();
  await work();
  return simulator.ledger.since(mark).requests({ grantType: 'authorization_code' }).length;
}

@Controller('integrations/notion')
@UseFilters(NotionConnectFilter)
class OwnRoutes {
  constructor(private readonly notion: NotionConnectService) {}

  @Post('begin')
  async begin(
    @Req() asked: { headers: Record<string, string> },
    @Res({ passthrough: true })
    answer: { header(name: string, value: string): unknown; status(code: number): unknown },
  ): Promise<object> {
    const start = { ownerId: userOf(asked) ?? '', returnTo: '/settings', cookies: asked.headers['cookie'] };
    const { url, setCookie } = await this.notion.authorizeUrl(start);
    answer.status(200);
    answer.header('Set-Cookie', setCookie);
    return { url };
  }

  @Get('callback')
  @UseGuards(NotionCallbackGuard)
  async finish(@NotionCallback() callback: VerifiedCallback): Promise<object> {
    const { returnTo } = await this.notion.complete(callback);
    return { returnTo };
  }
}
const OWN_ROUTES: Setting = {
  controllers: [OwnRoutes],
  options: { redirectUris: ['https://app.example/integrations/notion/callback'] },
  wiring: { routes: false },
};

describe.each(PLATFORMS)('a front end with a bearer token and no session, on %s', (platform) => {
  it('A32: starts by POST, and its callback is completed for the owner that the state names', async () => {
    const site = await Site.start({ platform, connect: { ownerFromState: true } });
    const visitor = new Visitor(site);
    const started = await visitor.send('post', '/notion/connect?returnTo=/settings', ADA);
    expect([started.status, started.type, started.location]).toEqual([200, 'application/json', '']);
    expect(started.setCookie).toMatch(/^__Host-notion-auth=.*HttpOnly.*SameSite=Lax/);
    const { url } = JSON.parse(started.text) as { url: string };
    expect(await visitor.navigate(allow(url))).toMatchObject({ status: 303, location: '/settings' });
    expect(await site.connect.list('ada')).toMatchObject([{ status: 'active' }]);
  });

  it('A32: completes the callback of a route of the application for the owner that the state names', async () => {
    const site = await Site.start({ ...OWN_ROUTES, platform, connect: { ownerFromState: true } });
    const visitor = new Visitor(site);
    const url = await visitor.start('', '/integrations/notion/begin');
    expect(await visitor.navigate(allow(url))).toMatchObject({
      status: 200,
      text: '{"returnTo":"/settings"}',
    });
    expect(await site.connect.list('ada')).toHaveLength(1);
  });

  it('takes returnTo and reconnect from a JSON body, too', async () => {
    const site = await Site.start({ platform, connect: { ownerFromState: true } });
    const visitor = new Visitor(site);
    const post = (body: object) => visitor.send('post', '/notion/connect', ADA, body);
    const first = JSON.parse((await post({ returnTo: '/billing' })).text) as { url: string };
    expect((await visitor.navigate(allow(first.url))).location).toBe('/billing');
    const [{ id }] = (await site.connect.list('ada')) as unknown as [{ id: string }];
    const again = JSON.parse((await post({ reconnect: id })).text) as { url: string };
    expect((await visitor.navigate(allow(again.url))).status).toBe(303);
    expect(await site.connect.list('ada')).toMatchObject([{ id, version: 2 }]);
    for (const reconnect of [7, { $ne: 1 }, [id], 'x']) expect((await post({ reconnect })).status).toBe(404);
  });

  it('A12: is asked who it is at the callback unless the option says otherwise, and the log says why', async () => {
    const site = await Site.start({ platform });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start());
    expect((await visitor.navigate(callback)).status).toBe(401);
    expect(site.linesWith('connect unauthorized')).toEqual([
      expect.stringContaining(
        'connect unauthorized stage=exchange reason=no_owner route=/notion/callback answered=401',
      ),
    ]);
    expect((await visitor.send('get', callback, ADA)).status).toBe(303);
  });

  it.each([
    ['axios', { accept: 'application/json, text/plain, */*' }],
    ['fetch to another origin', { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-site' }],
    ['fetch to its own origin', { 'sec-fetch-mode': 'same-origin', 'sec-fetch-site': 'same-origin' }],
    ['an older browser', { accept: '*/*', 'x-requested-with': 'XMLHttpRequest' }],
  ])('answers %s with JSON, which CORS lets it read', async (_what, headers) => {
    const site = await Site.start({ platform });
    const visitor = new Visitor(site);
    const { status, location, text, setCookie } = await visitor.send('get', '/notion/connect', {
      ...ADA,
      ...headers,
    });
    expect([status, location]).toEqual([200, '']);
    expect(new URL((JSON.parse(text) as { url: string }).url).origin).toBe(simulator.url);
    expect(setCookie).toBeDefined();
    const refused = await visitor.send('get', '/notion/callback', headers);
    expect([refused.status, refused.type]).toEqual([400, 'application/json']);
  });

  it('redirects what navigates: a link, a form, and what says nothing of itself', async () => {
    const site = await Site.start({ platform });
    const visitor = new Visitor(site);
    for (const [method, headers] of [
      ['get', NAVIGATION],
      ['get', { accept: '*/*' }],
      ['get', { accept: 'text/html', 'x-requested-with': 'com.example.app' }],
      ['post', NAVIGATION],
    ] as const) {
      const { status, location } = await visitor.send(method, '/notion/connect', { ...ADA, ...headers });
      expect([status, new URL(location).origin]).toEqual([303, simulator.url]);
    }
  });
});

describe('A32: a callback whose owner the state names', () => {
  it('A32: is rejected in the browser of another user, with a cookie of its own and without, and with another state', async () => {
    const site = await Site.start({ connect: { ownerFromState: true } });
    const [visitor, attacker] = [new Visitor(site), new Visitor(site)];
    await visitor.start();
    const url = await attacker.start();
    const callback = allow(url);
    const sent = await exchangesDuring(async () => {
      // The attacker's own state, in the browser of a victim who has one, and in one that has none.
      for (const victim of [visitor, new Visitor(site)])
        expect((await victim.navigate(callback)).status).toBe(400);
      expect((await visitor.navigate(callback.replace(/state=.*/, `state=${'x'.repeat(43)}`))).status).toBe(
        400,
      );
    });
    expect(sent).toBe(0);
    expect(await site.connect.list('ada')).toEqual([]);
  });

  it('A32: never takes the owner from the callback itself, whoever is signed in by then', async () => {
    const site = await Site.start({ connect: { ownerFromState: true } });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start());
    const page = await visitor.navigate(`${callback}&ownerId=eve&owner=eve`, {
      authorization: 'Bearer user-eve',
    });
    expect(page.status).toBe(303);
    expect(await site.connect.list('eve')).toEqual([]);
    expect(await site.connect.list('ada')).toHaveLength(1);
  });

  it('does not ask resolveOwner', async () => {
    let asked = 0;
    const resolveOwner = (): string => {
      asked += 1;
      return 'ada';
    };
    const site = await Site.start({ connect: { ownerFromState: true }, wiring: { resolveOwner } });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start());
    expect(asked).toBe(1);
    expect((await visitor.navigate(callback)).status).toBe(303);
    expect(asked).toBe(1);
  });
});

/** As applications have it: everything needs a token, but for what is marked. */
const IS_PUBLIC = Symbol('public');
const Public = Reflector.createDecorator<boolean>();

function guardThatLooksFor(
  find: (reflector: Reflector, context: ExecutionContext) => unknown,
): Type<CanActivate> {
  @Injectable()
  class TokenGuard implements CanActivate {
    private readonly reflector = new Reflector();

    canActivate(context: ExecutionContext): boolean {
      if (find(this.reflector, context) === true) return true;
      if (userOf(context.switchToHttp().getRequest<never>()) !== undefined) return true;
      throw new UnauthorizedException();
    }
  }
  return TokenGuard;
}

describe.each(PLATFORMS)('a global guard of the application, on %s', (platform) => {
  it.each<
    [string, Record<string | symbol, unknown>, (reflector: Reflector, of: ExecutionContext) => unknown]
  >([
    [
      'a text, on handler or class',
      { isPublic: true },
      (reflector, of) => reflector.getAllAndOverride('isPublic', [of.getHandler(), of.getClass()]),
    ],
    [
      'a symbol, on the handler',
      { [IS_PUBLIC]: true },
      (reflector, of) => reflector.get(IS_PUBLIC as never, of.getHandler()),
    ],
    ['a text, on the class', { open: true }, (reflector, of) => reflector.get('open', of.getClass())],
    [
      'a decorator of Reflector',
      { [Public.KEY]: true },
      (reflector, of) => reflector.get(Public, of.getHandler()),
    ],
  ])(
    'lets the built-in routes through that routeMetadata marks by %s',
    async (_what, routeMetadata, find) => {
      const site = await Site.start({
        platform,
        guard: guardThatLooksFor(find),
        connect: { ownerFromState: true },
        wiring: { routeMetadata },
      });
      const visitor = new Visitor(site);
      const callback = allow(await visitor.start());
      expect((await visitor.navigate(callback)).status).toBe(303);
      // The mark opens the route, and makes nobody an owner.
      expect((await new Visitor(site).navigate('/notion/connect')).status).toBe(401);
      expect(site.linesWith('connect unauthorized')).toHaveLength(1);
    },
  );

  it('is named in the log where it rejects a request to a built-in route', async () => {
    const site = await Site.start({
      platform,
      guard: guardThatLooksFor(() => false),
      options: { redirectUris: ['https://app.example/api/integrations/notion/callback'] },
      wiring: { routes: 'integrations/notion' },
      prepare: (nest) => {
        nest.setGlobalPrefix('api');
        nest.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start('', '/api/integrations/notion/connect'));
    const { status, type } = await visitor.navigate(callback);
    expect([status, type]).toEqual([401, 'application/json']);
    const [line, ...others] = site.linesWith('connect unauthorized');
    expect(others).toEqual([]);
    expect(line).toContain('reason=application route=/api/integrations/notion/callback answered=401');
    expect(line).not.toContain(new URL(callback, 'https://app.example').searchParams.get('code')!);
  });
});

describe.each(PLATFORMS)('a callback that comes again, on %s', (platform) => {
  const start = async (setting: Setting = {}): Promise<{ site: Site; visitor: Visitor; url: string }> => {
    const site = await Site.start({ platform, wiring: { resolveOwner: sessionOf }, ...setting });
    const visitor = new Visitor(site);
    const { location: url } = await visitor.navigate('/notion/connect?returnTo=/settings', SIGNED_IN);
    return { site, visitor, url };
  };
  const SIGNED_IN = { 'x-session-user': 'ada' };
  function sessionOf(of: { headers: Record<string, string | undefined> }): string | undefined {
    return of.headers['x-session-user'];
  }

  it('A30: leads back where the first led, however it comes, and nothing is exchanged again', async () => {
    const { site, visitor, url } = await start();
    const callback = allow(url);
    expect((await visitor.navigate(callback, SIGNED_IN)).location).toBe('/settings');
    const sent = await exchangesDuring(async () => {
      // The back button; "Allow" on the consent page that is still open, with a new code; "Cancel" there.
      for (const again of [callback, allow(url), localPart(simulator.deny(url))]) {
        const page = await visitor.navigate(again, SIGNED_IN);
        expect([page.status, page.location, page.text]).toEqual([303, '/settings', '']);
      }
    });
    expect(sent).toBe(0);
    expect(await site.connect.list('ada')).toMatchObject([{ version: 1 }]);
    expect(site.linesWith('connect repeated stage=exchange answered=303')).toHaveLength(3);
    expect(site.linesWith('connect refused')).toEqual([]);
  });

  it('A30: waits while the first is exchanged, and both lead back', async () => {
    const { visitor, url } = await start();
    const callback = allow(url);
    simulator.configure({ delayMs: { token: 400 } });
    try {
      const sent = await exchangesDuring(async () => {
        const pages = await Promise.all([
          visitor.navigate(callback, SIGNED_IN),
          visitor.navigate(callback, SIGNED_IN),
        ]);
        expect(pages.map(({ status, location }) => [status, location])).toEqual([
          [303, '/settings'],
          [303, '/settings'],
        ]);
      });
      expect(sent).toBe(1);
    } finally {
      simulator.reset();
    }
  });

  it('A30: says nothing to another browser, another user or nobody, nor for a state that is over', async () => {
    const { site, visitor, url } = await start();
    const callback = allow(url);
    await visitor.navigate(callback, SIGNED_IN);
    const elsewhere = new Visitor(site);
    await elsewhere.navigate('/notion/connect', SIGNED_IN);
    const pages = [
      await elsewhere.navigate(callback, SIGNED_IN),
      await visitor.navigate(callback, { 'x-session-user': 'eve' }),
      await visitor.navigate(callback.replace(/state=.*/, `state=${'x'.repeat(43)}`), SIGNED_IN),
    ];
    expect(
      new Set(pages.map(({ status, location, text }) => JSON.stringify([status, location, text]))).size,
    ).toBe(1);
    expect(pages[0]).toMatchObject({ status: 400, location: '' });
    // Without a cookie the page is another one, for this state as for any.
    const without = [callback, callback.replace(/state=.*/, `state=${'x'.repeat(43)}`)];
    const [known, unknown] = await Promise.all(
      without.map((url) => new Visitor(site).navigate(url, SIGNED_IN)),
    );
    expect(known).toMatchObject({ status: 400, location: '' });
    expect(known!.text).toBe(unknown!.text);
    expect((await visitor.navigate(callback)).status).toBe(401);
  });

  it('A30: is rejected when the first was cancelled, or failed', async () => {
    const { visitor, url } = await start();
    expect((await visitor.navigate(localPart(simulator.deny(url)), SIGNED_IN)).location).toBe(
      '/settings?notion=denied',
    );
    expect((await visitor.navigate(allow(url), SIGNED_IN)).status).toBe(400);
    const { location: next } = await visitor.navigate('/notion/connect', SIGNED_IN);
    const callback = allow(next);
    simulator.fail('exchange', { kind: 'status', status: 400, code: 'invalid_grant' });
    expect((await visitor.navigate(callback, SIGNED_IN)).status).toBe(400);
    const sent = await exchangesDuring(async () => {
      const began = performance.now();
      expect((await visitor.navigate(callback, SIGNED_IN)).status).toBe(400);
      // The outcome is known, so there is nothing to wait for.
      expect(performance.now() - began).toBeLessThan(5_000);
    });
    expect(sent).toBe(0);
    simulator.reset();
  });

  it('A30: is rejected after a reconnect that came back as another workspace', async () => {
    const { site, visitor, url } = await start();
    await visitor.navigate(allow(url, { workspace: 'Lighthouse Studio' }), SIGNED_IN);
    const [{ id }] = (await site.connect.list('ada')) as unknown as [{ id: string }];
    const { location } = await visitor.navigate(`/notion/connect?reconnect=${id}`, SIGNED_IN);
    const callback = allow(location, { workspace: 'Garden Club' });
    expect((await visitor.navigate(callback, SIGNED_IN)).status).toBe(409);
    expect((await visitor.navigate(callback, SIGNED_IN)).status).toBe(400);
  });
});

const SPECULATIVE: readonly [string, Method, Headers][] = [
  ['HEAD', 'head', {}],
  ['a prefetch', 'get', { 'sec-purpose': 'prefetch' }],
  ['a prerender', 'get', { 'sec-purpose': 'prefetch;prerender' }],
  ['a prefetch through a proxy', 'get', { 'sec-purpose': 'prefetch;anonymous-client-ip' }],
  ['an older prefetch', 'get', { purpose: 'prefetch' }],
  ['a prefetch of an older Firefox', 'get', { 'x-moz': 'prefetch' }],
  ['a preview', 'get', { 'x-purpose': 'preview' }],
];

describe.each(PLATFORMS)('what no user sees, on %s', (platform) => {
  it.each(SPECULATIVE)('A33: %s starts no connect and uses up no state', async (_what, method, headers) => {
    const site = await Site.start({ platform, connect: { ownerFromState: true } });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start());
    const lines = site.lines.length;
    const sent = await exchangesDuring(async () => {
      for (const path of ['/notion/connect', callback]) {
        const seen = await visitor.send(method, path, { ...NAVIGATION, ...ADA, ...headers });
        // Nothing that a browser would show in place of the navigation that may follow.
        expect([seen.status, seen.text]).toEqual([method === 'head' ? 204 : 503, '']);
        expect([seen.location, seen.setCookie]).toEqual(['', undefined]);
      }
    });
    expect(sent).toBe(0);
    expect(site.lines.slice(lines)).toEqual([]);
    expect((await visitor.navigate(callback)).status).toBe(303);
  });

  it('A33: uses up no state at a route of the application', async () => {
    const site = await Site.start({ ...OWN_ROUTES, platform, connect: { ownerFromState: true } });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start('', '/integrations/notion/begin'));
    for (const [, method, headers] of SPECULATIVE) await visitor.send(method, callback, headers);
    expect((await visitor.navigate(callback)).status).toBe(200);
  });
});

describe('a front end on another origin', () => {
  const connect: ConnectOptions = {
    allowedReturnOrigins: [FRONT_END, 'http://localhost:5173'],
    defaultReturnTo: `${FRONT_END}/notion`,
    ownerFromState: true,
  };
  const RETURN = `${FRONT_END}/settings?tab=notion#top`;
  const inQuery = (returnTo: string) => `?returnTo=${encodeURIComponent(returnTo)}`;

  it('A31: is where success and cancellation end', async () => {
    const visitor = new Visitor(await Site.start({ connect }));
    const url = await visitor.start(inQuery(RETURN));
    const callback = allow(url);
    expect(await visitor.navigate(callback)).toMatchObject({ status: 303, location: RETURN });
    expect(await visitor.navigate(callback)).toMatchObject({ status: 303, location: RETURN });
    const cancelled = localPart(simulator.deny(await visitor.start(inQuery('http://localhost:5173/'))));
    expect((await visitor.navigate(cancelled)).location).toBe('http://localhost:5173/?notion=denied');
  });

  it('A31: is where the page of an error leads, with what became of it', async () => {
    const site = await Site.start({ connect });
    const visitor = new Visitor(site);
    const callback = allow(await visitor.start(inQuery(RETURN)));
    simulator.fail('exchange', { kind: 'status', status: 503 });
    const failed = await visitor.navigate(callback);
    expect(failed.status).toBe(502);
    expect(failed.text).toContain(
      `<a href="${FRONT_END}/settings?tab=notion&amp;notion=failed#top">Back to the application</a>`,
    );
    simulator.reset();
    // Of a state that nobody knows, nobody knows where it wanted to go either.
    const unknown = await visitor.navigate(`/notion/callback?code=c&state=${'x'.repeat(43)}`);
    expect(unknown.text).toContain(`<a href="${FRONT_END}/notion?notion=failed">Back to the application</a>`);
    expect(unknown.text).not.toContain('Start again</a>');
  });

  it('A31: is no other than those that are listed', async () => {
    const visitor = new Visitor(await Site.start({ connect }));
    for (const returnTo of [
      'https://evil.example/',
      'https://front.example.evil.example/',
      'https://front.example@evil.example/',
      'http://front.example/',
      '//front.example/',
    ]) {
      const page = await visitor.navigate(allow(await visitor.start(inQuery(returnTo))));
      expect(page.location).toBe(`${FRONT_END}/notion`);
    }
    const own = new Visitor(await Site.start({ connect: { ownerFromState: true } }));
    expect((await own.navigate(allow(await own.start(inQuery(RETURN))))).location).toBe('/');
  });
});

describe('an owner id that is not a string', () => {
  @Controller('who')
  @UseFilters(NotionAuthExceptionFilter)
  @UseInterceptors(NotionTokenInterceptor)
  class WhoController {
    @Get()
    who(): string {
      return 'nobody';
    }
  }

  it.each([
    [7, 'a number'],
    [{ id: 7 }, 'an object'],
    [['ada'], 'an array'],
    [true, 'a boolean'],
  ])('F4: is a fault of the application, and its log says which: %j', async (owner, type) => {
    const site = await Site.start({
      controllers: [WhoController],
      wiring: { resolveOwner: () => owner as unknown as string },
    });
    const visitor = new Visitor(site);
    const page = await visitor.navigate('/notion/connect');
    expect(page.status).toBe(500);
    expect(page.text).not.toMatch(/Sign in|resolveOwner|number|object|array/);
    const json = await visitor.send('get', '/notion/connect', { accept: 'application/json' });
    expect([json.status, JSON.parse(json.text)]).toEqual([
      500,
      { code: 'notion_owner_invalid', message: expect.not.stringContaining('resolveOwner') },
    ]);
    const call = await visitor.send('get', '/who');
    expect([call.status, JSON.parse(call.text)]).toEqual([
      500,
      {
        code: 'notion_owner_invalid',
        message: 'This application is not set up correctly. Its log names the cause.',
      },
    ]);
    const told = site.lines.filter((line) =>
      decodeURIComponent(line).includes(`resolveOwner returned ${type}.`),
    );
    expect(told).toHaveLength(3);
    expect(told[0]).toContain('route=/notion/connect answered=500');
  });

  it('F4: is named where a route of the application passes it', async () => {
    const { connect } = await Site.start();
    await expect(connect.list(7 as unknown as string)).rejects.toThrow(
      'The ownerId passed to NotionConnectService is a number. Pass a string, the same that resolveOwner returns for this user.',
    );
  });
});
