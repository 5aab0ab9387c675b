import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, UseFilters, UseInterceptors, type DynamicModule } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Client } from '@notionhq/client';
import request from 'supertest';
import {
  NotionAuthExceptionFilter,
  NotionAuthModule,
  NotionSdk,
  NotionTokenInterceptor,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';

@Controller('whoami')
@UseFilters(NotionAuthExceptionFilter)
@UseInterceptors(NotionTokenInterceptor)
class WhoAmIController {
  @Get()
  async whoAmI(@NotionSdk() notion: Client): Promise<{ type: string | null }> {
    const { type } = await notion.users.me({});
    return { type };
  }
}

describe('on Fastify', () => {
  const redirectUri = 'https://app.example/notion/callback';
  let simulator: NotionSimulator;
  let app: NestFastifyApplication;
  let folder: string;

  beforeAll(async () => {
    simulator = await NotionSimulator.start({ redirectUris: [redirectUri] });
    folder = mkdtempSync(join(tmpdir(), 'notion-fastify-'));
    const testing = await Test.createTestingModule({
      imports: [moduleUnderTest()],
      controllers: [WhoAmIController],
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
  });

  afterAll(async () => {
    await app.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function moduleUnderTest(): DynamicModule {
    return NotionAuthModule.forRoot({
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [redirectUri],
      apiBaseUrl: simulator.url,
      databaseFile: join(folder, 'notion-auth.sqlite'),
      resolveOwner: (request: { headers: Record<string, string | undefined> }) => request.headers['x-user'],
    });
  }

  const signedIn = { 'x-user': 'ada' };

  it('connects, leads the same callback back a second time, and calls Notion through a refresh', async () => {
    const start = await get('/notion/connect?returnTo=/settings', signedIn);
    expect(start.status).toBe(303);
    const cookie = start.headers['set-cookie']![0]!.split(';')[0]!;
    const callback = new URL(simulator.allow(start.headers['location']!));
    const comeBack = () => get(callback.pathname + callback.search, { ...signedIn, cookie });

    const finished = await comeBack();
    expect([finished.status, finished.headers['location']]).toEqual([303, '/settings']);
    const again = await comeBack();
    expect([again.status, again.headers['location']]).toEqual([303, '/settings']);

    simulator.expireAllAccessTokens();
    const answered = await get('/whoami', signedIn);
    expect([answered.status, answered.body]).toEqual([200, { type: 'bot' }]);
    expect(simulator.ledger.refreshes()).toBe(1);
  });

  it('maps errors to statuses of its own, never to the 401 of Notion', async () => {
    for (const botId of new Set(simulator.ledger.tokens().map((token) => token.botId))) {
      simulator.revokeGrant(botId);
    }
    const refused = await get('/whoami', signedIn);
    expect([refused.status, refused.body]).toMatchObject([409, { code: 'notion_reconnect_required' }]);
    expect((await get('/whoami', { 'x-user': 'eve' })).status).toBe(404);
  });

  function get(path: string, headers: Record<string, string>): request.Test {
    return request(app.getHttpServer()).get(path).set(headers);
  }
});
