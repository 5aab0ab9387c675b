import { randomBytes } from 'node:crypto';
import {
  Controller,
  Get,
  Module,
  Post,
  SetMetadata,
  UseGuards,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
  type CanActivate,
  type DynamicModule,
  type INestApplication,
  type LoggerService,
  type Type,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { NotionConfigError } from '../domain/errors.js';
import { CallbackRouteExplorer } from './callback-route.explorer.js';
import { NOTION_CALLBACK_ROUTE } from './callback-route.js';
import { MountedCallbackCheck } from './mounted-callback.check.js';
import { NOTION_AUTH_CONFIG } from './notion-auth.options.js';
import { NOTION_AUTH_WIRING } from './notion-auth.wiring.js';
import { resolveConfig } from './resolve-config.js';

@SetMetadata(NOTION_CALLBACK_ROUTE, true)
class CallbackGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}
class StricterGuard extends CallbackGuard {}
class OtherGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Controller('notion')
class NotionController {
  @Get('connect')
  connect(): string {
    return 'connect';
  }

  @UseGuards(CallbackGuard)
  @Get('callback')
  callback(): string {
    return 'callback';
  }
}

@UseGuards(OtherGuard)
@Controller('other')
class OtherController {
  @Get()
  anything(): string {
    return 'other';
  }
}

interface Host {
  readonly controllers?: Type[];
  readonly imports?: (Type | DynamicModule)[];
  readonly prepare?: (app: INestApplication) => void;
  readonly publicBasePath?: string | string[];
  readonly servesCallback?: boolean;
}

class Recorder implements LoggerService {
  readonly lines: string[] = [];
  log = (message: string) => this.lines.push(`log ${message}`);
  warn = (message: string) => this.lines.push(`warn ${message}`);
  error = (message: string) => this.lines.push(`error ${message}`);
}

const started: INestApplication[] = [];
afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
});

async function start(
  redirectUris: string[],
  host: Host = {},
): Promise<{ app: INestApplication; lines: string[] }> {
  const config = resolveConfig(
    {
      clientId: 'client-1',
      clientSecret: 'a-client-value',
      redirectUris,
      publicBasePath: host.publicBasePath,
      encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
    },
    {},
  );
  const recorder = new Recorder();
  const compiled = await Test.createTestingModule({
    imports: host.imports ?? [],
    controllers: host.controllers ?? [OtherController, NotionController],
    providers: [
      { provide: NOTION_AUTH_CONFIG, useValue: config },
      { provide: NOTION_AUTH_WIRING, useValue: { servesCallback: host.servesCallback } },
      CallbackRouteExplorer,
      MountedCallbackCheck,
    ],
  })
    .setLogger(recorder)
    .compile();
  const app = compiled.createNestApplication();
  started.push(app);
  host.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return { app, lines: recorder.lines };
}

async function refusal(redirectUri: string, host: Host = {}): Promise<string> {
  const failure: unknown = await start([redirectUri], host).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NotionConfigError);
  return (failure as NotionConfigError).problems.join('\n');
}

/** Starts with the redirect URI at `path`, and asks that path for the callback. */
async function expectServedAt(path: string, host: Host = {}): Promise<void> {
  const { app } = await start([`https://app.example${path}`], host);
  await request(app.getHttpServer() as never)
    .get(path)
    .expect(200, 'callback');
}

const uriVersioning =
  (options: object = {}) =>
  (app: INestApplication) => {
    app.enableVersioning({ type: VersioningType.URI, ...options });
  };

describe('C5: an application starts when its callback is where the redirect URI points', () => {
  it('without anything around it', () => expectServedAt('/notion/callback'));

  it('behind a global prefix', () =>
    expectServedAt('/api/v0/notion/callback', { prepare: (app) => app.setGlobalPrefix('/api/v0/') }));

  it('excluded from the global prefix', () =>
    expectServedAt('/notion/callback', {
      prepare: (app) => app.setGlobalPrefix('api', { exclude: ['notion/*path'] }),
    }));

  it('in a module that RouterModule puts elsewhere, nested', async () => {
    @Module({ controllers: [NotionController] })
    class InnerModule {}
    @Module({ imports: [InnerModule] })
    class OuterModule {}
    await expectServedAt('/admin/area/notion/callback', {
      controllers: [],
      imports: [
        OuterModule,
        RouterModule.register([
          { path: 'admin', module: OuterModule, children: [{ path: 'area', module: InnerModule }] },
        ]),
      ],
    });
  });

  it('with the default version in the path', () =>
    expectServedAt('/v7/notion/callback', { prepare: uriVersioning({ defaultVersion: '7' }) }));

  it('with the version after the global prefix and before the module path', async () => {
    @Module({ controllers: [NotionController] })
    class InnerModule {}
    await expectServedAt('/api/rev7/admin/notion/callback', {
      controllers: [],
      imports: [InnerModule, RouterModule.register([{ path: 'admin', module: InnerModule }])],
      prepare: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI, prefix: 'rev', defaultVersion: '7' });
      },
    });
  });

  it('with a version and excluded from the global prefix', () =>
    expectServedAt('/v7/notion/callback', {
      prepare: (app) => {
        app.setGlobalPrefix('api', { exclude: ['notion/callback'] });
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '7' });
      },
    }));

  it('with versioning by header, which no path shows', () =>
    expectServedAt('/notion/callback', {
      prepare: (app) =>
        app.enableVersioning({
          type: VersioningType.HEADER,
          header: 'x-version',
          defaultVersion: VERSION_NEUTRAL,
        }),
    }));

  it.each([
    ['/v2/own/done', { prefix: undefined }],
    ['/2/own/done', { prefix: false }],
    ['/v3/own/done', { defaultVersion: '1' }],
    ['/own/done', { defaultVersion: '1' }],
    ['/v2/self/done', {}],
  ])('with the versions and paths of a custom controller: %s', async (path, versioning) => {
    @Controller({ path: ['own', 'self'], version: '1' })
    class CustomController {
      @Version(['2', '3', VERSION_NEUTRAL])
      @UseGuards(new StricterGuard())
      @Get(['done', 'finished'])
      done(): string {
        return 'callback';
      }
    }
    await expectServedAt(path, { controllers: [CustomController], prepare: uriVersioning(versioning) });
  });

  it('guarded on the controller, or marked on the handler, or inherited', async () => {
    @UseGuards(StricterGuard)
    @Controller('guarded')
    class GuardedController {
      @Get('done')
      done(): string {
        return 'callback';
      }
    }
    @Controller('marked')
    class MarkedController {
      @SetMetadata(NOTION_CALLBACK_ROUTE, true)
      @Get()
      done(): string {
        return 'callback';
      }
    }
    @Controller('heir')
    class HeirController extends NotionController {}
    const controllers = [GuardedController, MarkedController, HeirController];
    for (const path of ['/guarded/done', '/marked', '/heir/callback'])
      await expectServedAt(path, { controllers });
  });

  it('under a route parameter', async () => {
    @Controller('t/:tenant/notion')
    class TenantController extends NotionController {}
    await expectServedAt('/t/acme/notion/callback', { controllers: [TenantController] });
  });

  it('each of several', async () => {
    @Controller('second')
    class SecondController extends NotionController {}
    const uris = ['https://app.example/notion/callback', 'http://localhost:3000/second/callback?env=1'];
    await start(uris, { controllers: [NotionController, SecondController] });
  });
});

describe('C5: an application does not start when its callback is somewhere else', () => {
  it('because of a global prefix', async () => {
    expect(
      await refusal('https://app.example/notion/callback', { prepare: (app) => app.setGlobalPrefix('api') }),
    ).toBe(
      'redirectUris (NOTION_REDIRECT_URIS): entry 1: its path /notion/callback is not where the callback is mounted (/api/notion/callback); configure and register a redirect URI with a mounted path, or mount the callback at this one; if a proxy removes a path prefix, set publicBasePath (NOTION_AUTH_PUBLIC_BASE_PATH) to it; in a process that serves no callback, such as a worker, set servesCallback to false',
    );
  });

  it('because of versions, all of which are named', async () => {
    const problem = await refusal('https://app.example/notion/callback', {
      prepare: uriVersioning({ defaultVersion: ['1', '2'] }),
    });
    expect(problem).toContain('(/v1/notion/callback, /v2/notion/callback)');
  });

  it('C6: because of upper and lower case, and shows both', async () => {
    const problem = await refusal('https://app.example/Notion/Callback');
    expect(problem).toContain(
      '/Notion/Callback differs in case from the mounted callback route /notion/callback',
    );
  });

  it('because only one of two redirect URIs is served', async () => {
    const failure: unknown = await start([
      'https://app.example/notion/callback',
      'https://app.example/old',
    ]).catch((error: unknown) => error);
    expect((failure as NotionConfigError).problems).toEqual([
      expect.stringContaining('entry 2: its path /old is not'),
    ]);
  });

  it('because the path leads to the connect route or to another guard', async () => {
    expect(await refusal('https://app.example/notion/connect')).toContain('/notion/connect is not where');
    expect(await refusal('https://app.example/other')).toContain('/other is not where');
  });

  it('because there is none, and says how to have one', async () => {
    const problem = await refusal('https://app.example/notion/callback', { controllers: [OtherController] });
    expect(problem).toContain('no callback route is mounted');
    expect(problem).toContain('NotionCallbackGuard');
    expect(problem).toContain('set servesCallback to false');
  });

  it('because the guarded route answers POST only', async () => {
    @Controller('notion')
    class PostController {
      @UseGuards(CallbackGuard)
      @Post('callback')
      callback(): string {
        return 'callback';
      }
    }
    const problem = await refusal('https://app.example/notion/callback', { controllers: [PostController] });
    expect(problem).toContain('no callback route is mounted');
  });
});

describe('C8: behind a proxy that removes a path prefix, an application', () => {
  it.each<[string, string[], Host]>([
    ['with its prefix', ['/api/notion/callback'], { publicBasePath: '/api' }],
    ['however its slashes are', ['/a/b/notion/callback'], { publicBasePath: 'a/b/' }],
    [
      'and a global prefix',
      ['/gateway/v1/notion/callback'],
      { publicBasePath: '/gateway', prepare: (app) => app.setGlobalPrefix('v1') },
    ],
    [
      'of which each redirect URI has another one',
      ['/api/notion/callback', '/v1/notion/callback', '/notion/callback'],
      { publicBasePath: ['/api', '/v1', '/'] },
    ],
  ])('starts %s', async (_, paths, host) => {
    const { lines } = await start(
      paths.map((path) => `https://app.example${path}`),
      host,
    );
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('is warned of a trailing slash, as without a proxy', async () => {
    const { lines } = await start(['https://app.example/api/notion/callback/'], { publicBasePath: '/api' });
    expect(lines).toContainEqual(expect.stringContaining('the route /api/notion/callback does not'));
  });

  it.each<[string, string, Host]>([
    ['/api/notion/callback', '/api', {}],
    ['/a/b/notion/callback/', '/a/b', {}],
    ['/gateway/api/notion/callback', '/gateway', { prepare: (app) => app.setGlobalPrefix('api') }],
    ['/v1/notion/callback', '/v1', { publicBasePath: '/api' }],
  ])('does not start at %s without the value to set: %s', async (path, prefix, host) => {
    const problem = await refusal(`https://app.example${path}`, host);
    expect(problem).toContain(`its path ${path} is not where the callback is mounted`);
    expect(problem).toContain(
      `; if a proxy removes ${prefix} before a request reaches this application, set publicBasePath (NOTION_AUTH_PUBLIC_BASE_PATH) to ${prefix}; if none does, configure and register a redirect URI with a mounted path, or mount the callback at this one; in a process that serves no callback, such as a worker, set servesCallback to false`,
    );
  });

  it('is told the whole list when only some of its redirect URIs have a prefix', async () => {
    const uris = ['/api/notion/callback', '/notion/callback', '/v1/notion/callback'];
    const failure: unknown = await start(
      uris.map((path) => `https://app.example${path}`),
      { publicBasePath: 'api' },
    ).catch((error: unknown) => error);
    const [second, third, ...others] = (failure as NotionConfigError).problems;
    expect(others).toEqual([]);
    expect(second).toContain('entry 2: its path /notion/callback is not where');
    expect(second).toContain('configure and register the redirect URI with the prefix; if no proxy removes');
    expect(third).toContain('entry 3: its path /v1/notion/callback is not where');
    for (const problem of [second, third])
      expect(problem).toContain('set publicBasePath (NOTION_AUTH_PUBLIC_BASE_PATH) to /api,/,/v1;');
  });

  it.each(['/api/other/callback', '/apinotion/callback', '/api/notion/callback/x'])(
    'does not start when the rest of %s is mounted nowhere',
    async (path) => {
      const problem = await refusal(`https://app.example${path}`, { publicBasePath: '/api' });
      expect(problem).toContain(
        `its path ${path} is not where the callback is mounted (/api/notion/callback)`,
      );
    },
  );
});

describe('a process that serves no callback', () => {
  it('starts without a route for it, and asks to register nothing', async () => {
    const { lines } = await start(['http://localhost:3000/notion/callback'], {
      controllers: [OtherController],
      servesCallback: false,
    });
    expect(lines.join('\n')).not.toContain('Redirect URI to register');
    expect(lines).toContainEqual(expect.stringMatching(/^warn .*cannot be Secure/));
  });
});

describe('the startup log', () => {
  it('says the exact redirect URIs to register, and what the configuration warns of', async () => {
    const { lines } = await start([
      'http://localhost:3000/notion/callback',
      'https://app.example/notion/callback?env=1',
    ]);
    expect(lines).toContain(
      'log Redirect URI to register with Notion: http://localhost:3000/notion/callback',
    );
    expect(lines).toContain(
      'log Redirect URI to register with Notion: https://app.example/notion/callback?env=1',
    );
    expect(lines).toContainEqual(expect.stringMatching(/^warn .*cannot be Secure/));
    expect(lines).toContainEqual(expect.stringMatching(/^warn .*entry 2: its query/));
  });

  it('C6: warns of a trailing slash that the route does not have', async () => {
    const { lines } = await start(['https://app.example/notion/callback/']);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^warn .*\/notion\/callback\/ ends with a slash, the route \/notion\/callback does not/,
      ),
    );
  });

  it('has the warnings, and no check, where no server runs', async () => {
    const recorder = new Recorder();
    const config = resolveConfig(
      { clientId: 'client-1', clientSecret: 'a-client-value', redirectUris: ['https://app.example/nowhere'] },
      {},
    );
    const compiled = await Test.createTestingModule({
      providers: [
        { provide: NOTION_AUTH_CONFIG, useValue: config },
        { provide: NOTION_AUTH_WIRING, useValue: {} },
        CallbackRouteExplorer,
        MountedCallbackCheck,
      ],
    })
      .setLogger(recorder)
      .compile();
    await compiled.init();
    expect(recorder.lines).toContainEqual(expect.stringMatching(/^warn encryptionKeys/));
    expect(recorder.lines.join()).not.toContain('Redirect URI');
    await compiled.close();
  });
});
