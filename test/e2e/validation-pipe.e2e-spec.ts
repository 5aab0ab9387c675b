import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Param,
  ParseIntPipe,
  Post,
  UseFilters,
  UseGuards,
  UseInterceptors,
  ValidationPipe,
  type INestApplication,
  type ValidationPipeOptions,
} from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { Client } from '@notionhq/client';
import {
  NotionAuthModule,
  NotionAuthorization,
  NotionCallback,
  NotionCallbackGuard,
  NotionConnectFilter,
  NotionConnectService,
  NotionDelivery,
  NotionSdk,
  NotionTokenInterceptor,
  NotionWebhook,
  VerifiedCallback,
  type Authorization,
  type NotionWebhookDelivery,
} from 'nestjs-notion-auth';
import { NotionAuthConsoleModule } from 'nestjs-notion-auth/console';
import { NotionSimulator, type WebhookSubscription } from 'nestjs-notion-auth/testing';
import { sessionUser } from '../support/tenant.controller.js';
import { TestBrowser } from '../support/test-browser.js';

/** A class with nothing that a validator knows, as those of this library: a strict pipe rejects its instances. */
@Controller('own')
class OwnRoutes {
  constructor(private readonly notion: NotionConnectService) {}

  @Get('callback')
  @UseGuards(NotionCallbackGuard)
  @UseFilters(NotionConnectFilter)
  async finish(@NotionCallback() callback: VerifiedCallback): Promise<object> {
    return { isSame: callback instanceof VerifiedCallback, ...(await this.notion.complete(callback)) };
  }

  @Get('me/:page')
  @UseInterceptors(NotionTokenInterceptor)
  async me(
    @NotionSdk() client: Client,
    @NotionAuthorization() authorization: Authorization,
    // An ordinary parameter keeps its pipes.
    @Param('page', ParseIntPipe) page: number,
  ): Promise<object> {
    const { object } = await client.users.me({});
    return { object, status: authorization.status, page: page + 1 };
  }

  @Post('hooks')
  @NotionWebhook()
  changed(@NotionDelivery() delivery: NotionWebhookDelivery): void {
    deliveries.push(delivery);
  }
}

const deliveries: NotionWebhookDelivery[] = [];
let simulator: NotionSimulator;
let nest: INestApplication | undefined;

beforeAll(async () => {
  simulator = await NotionSimulator.start();
});

afterAll(async () => {
  await simulator.close();
});

afterEach(async () => {
  deliveries.length = 0;
  await nest?.close();
  nest = undefined;
});

const REDIRECT_URIS = ['https://app.example/notion/callback', 'https://app.example/own/callback'];

interface Started {
  readonly browser: TestBrowser;
  readonly notion: WebhookSubscription;
}

async function start(pipe: ValidationPipe): Promise<Started> {
  const subscription = simulator.webhookTo('');
  const testing = await Test.createTestingModule({
    imports: [
      NotionAuthModule.forRoot({
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: REDIRECT_URIS,
        apiBaseUrl: simulator.url,
        databaseFile: ':memory:',
        webhooks: { verificationTokens: [subscription.verificationToken] },
        resolveOwner: sessionUser,
      }),
      NotionAuthConsoleModule.forRoot({ guard: OpenToAll }),
    ],
    controllers: [OwnRoutes],
  }).compile();
  const application = testing.createNestApplication<NestExpressApplication>({ rawBody: true, logger: [] });
  nest = application;
  application.useGlobalPipes(pipe);
  await application.listen(0, '127.0.0.1');
  const url = await application.getUrl();
  return {
    browser: new TestBrowser(url, 'ada'),
    notion: Object.assign(subscription, { url: `${url}/own/hooks` }),
  };
}

class OpenToAll {
  canActivate(): boolean {
    return true;
  }
}

function localPart(callback: string): string {
  const { pathname, search } = new URL(callback);
  return pathname + search;
}

const OPTIONS: readonly [string, ValidationPipeOptions][] = [
  ['no option', {}],
  [
    'transform and implicit conversion',
    { transform: true, transformOptions: { enableImplicitConversion: true } },
  ],
  ['whitelist', { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }],
  ['custom decorators', { validateCustomDecorators: true }],
  [
    'everything that is strict',
    {
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      validateCustomDecorators: true,
      transformOptions: { enableImplicitConversion: true, excludeExtraneousValues: true },
    },
  ],
  ['an expected type', { expectedType: VerifiedCallback, transform: true }],
];

describe.each(OPTIONS)('a global ValidationPipe with %s', (_name, options) => {
  it('lets the built-in routes connect, repeat, cancel and reject as without a pipe', async () => {
    const { browser } = await start(new ValidationPipe(options));
    const { location } = await browser.get('/notion/connect?returnTo=/settings&unknown=1');
    const callback = localPart(simulator.allow(location));
    expect(await browser.get(callback)).toMatchObject({ status: 303, location: '/settings' });
    expect(await browser.get(callback)).toMatchObject({ status: 303, location: '/settings' });
    expect((await browser.get('/notion/callback?code=c&state=unknown')).status).toBe(400);
  });

  it('gives the parameter decorators the values themselves', async () => {
    const { browser } = await start(new ValidationPipe(options));
    const { url, setCookie } = await nest!.get(NotionConnectService).authorizeUrl({
      ownerId: 'ada',
      redirectUri: REDIRECT_URIS[1],
    });
    const cookie = { cookie: setCookie.split(';')[0]! };
    const completed = await browser.get(localPart(simulator.allow(url)), cookie);
    expect(completed).toMatchObject({ status: 200 });
    expect(JSON.parse(completed.text)).toMatchObject({ isSame: true, authorization: { status: 'active' } });
    const called = await browser.get('/own/me/7');
    expect([called.status, JSON.parse(called.text)]).toEqual([
      200,
      { object: 'user', status: 'active', page: 8 },
    ]);
  });

  it('gives a webhook handler the delivery of the guard', async () => {
    const { notion } = await start(new ValidationPipe(options));
    expect((await notion.deliver()).status).toBe(200);
    while (deliveries.length === 0) await sleep(10);
    expect(deliveries).toMatchObject([{ event: { type: 'page.content_updated' } }]);
  });

  it('shows the console and its list', async () => {
    const { browser } = await start(new ValidationPipe(options));
    expect((await browser.get('/notion/console?status=active&unknown=1')).status).toBe(200);
  });
});
