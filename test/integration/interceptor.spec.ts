import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Injectable, Logger, UseFilters, UseInterceptors } from '@nestjs/common';
import type { Client } from '@notionhq/client';
import {
  NotionAuthExceptionFilter,
  NotionAuthorization,
  NotionScope,
  NotionSdk,
  NotionTokenInterceptor,
  type Authorization,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import request from 'supertest';
import { OutboundApp, type OutboundAppOptions } from '../support/outbound.app.js';

@Injectable()
class DeepService {
  constructor(private readonly scope: NotionScope) {}

  async whoAmI(): Promise<unknown> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return this.scope.require().client.users.me({});
  }
}

@Controller()
@UseFilters(NotionAuthExceptionFilter)
class PagesController {
  constructor(
    private readonly deep: DeepService,
    private readonly scope: NotionScope,
  ) {}

  @Get('who')
  @UseInterceptors(NotionTokenInterceptor)
  async who(
    @NotionAuthorization() authorization: Authorization,
    @NotionSdk() notion: Client,
  ): Promise<unknown> {
    const me = await notion.users.me({});
    return { id: authorization.id, botId: me.id };
  }

  @Get('authorizations/:authorizationId/deep')
  @UseInterceptors(NotionTokenInterceptor)
  whoDeeply(): Promise<unknown> {
    return this.deep.whoAmI();
  }

  @Get('without-interceptor')
  withoutInterceptor(@NotionSdk() notion: Client): string {
    return typeof notion;
  }

  @Get('without-scope')
  withoutScope(): string {
    return this.scope.require().authorization.id;
  }
}

let simulator: NotionSimulator;
let app: OutboundApp;

/** What an application may do with a header of its callers, and what an attacker may make of that. */
function ownerOfBearer({ headers }: { headers: Record<string, string | undefined> }): string {
  return decodeURIComponent(headers['authorization']?.replace(/^Bearer /, '') ?? '');
}

const start = async (options: Partial<OutboundAppOptions> = {}): Promise<void> => {
  app = await OutboundApp.start({
    simulator,
    controller: PagesController,
    providers: [DeepService],
    ...options,
  });
};
const get = (path: string, owner?: string) => {
  const call = request(app.nest.getHttpServer()).get(path);
  return owner === undefined ? call : call.set('x-user', owner);
};

beforeEach(async () => {
  simulator = await NotionSimulator.start();
});

afterEach(async () => {
  await app.close();
  await simulator.close();
});

describe('NotionTokenInterceptor', () => {
  it("gives the handler the owner's only authorization and its SDK", async () => {
    await start();
    const { id, botId } = await app.connect('ada');
    await app.connect('bob');
    await get('/who', 'ada').expect(200, { id, botId });
  });

  it('takes the route parameter where there is one, and carries the scope through awaits', async () => {
    await start();
    const authorizations = [await app.connect('ada'), await app.connect('ada')];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, number) =>
        get(`/authorizations/${authorizations[number % 2]!.id}/deep`, 'ada'),
      ),
    );
    expect(answers.map(({ body }): unknown => body.id)).toEqual(
      answers.map((_, number) => authorizations[number % 2]!.botId),
    );
  });

  it('finds none of none, and says how to choose among several active ones', async () => {
    await start();
    await get('/who', 'ada').expect(404);
    await app.connect('ada');
    await app.connect('ada');
    const { body } = await get('/who', 'ada').expect(400);
    expect(body.code).toBe('notion_authorization_ambiguous');
    expect(body.message).toMatch(/has 2 active .*`:authorizationId`.*`resolveAuthorization`/);
    expect(simulator.ledger.requests()).toEqual([]);
  });

  it('uses the only active authorization beside those that must be reconnected', async () => {
    await start();
    const [dead, alive, alsoDead] = [
      await app.connect('ada'),
      await app.connect('ada'),
      await app.connect('ada'),
    ];
    for (const { id, botId } of [dead, alsoDead]) {
      simulator.revokeGrant(botId);
      await get(`/authorizations/${id}/deep`, 'ada').expect(409);
    }
    await get('/who', 'ada').expect(200, { id: alive.id, botId: alive.botId });
    // Named explicitly, a dead one is answered for itself.
    const { body } = await get(`/authorizations/${dead.id}/deep`, 'ada').expect(409);
    expect(body.message).toContain(dead.id);
  });

  it('uses the only active authorization whose grant another owner shares', async () => {
    await start();
    const shared = await app.connect('ada');
    const own = await app.connect('bob');
    await app.share(shared, 'bob');
    await get('/who', 'ada').expect(200, { id: shared.id, botId: shared.botId });
    await get('/who', 'bob').expect(400);
    simulator.revokeGrant(shared.botId);
    await get('/who', 'ada').expect(409);
    await get('/who', 'bob').expect(200, { id: own.id, botId: own.botId });
  });

  it('names the one that stopped working last where none is active', async () => {
    await start();
    const authorizations = [await app.connect('ada'), await app.connect('ada')];
    for (const { id, botId } of authorizations) {
      simulator.revokeGrant(botId);
      await get(`/authorizations/${id}/deep`, 'ada').expect(409);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { body } = await get('/who', 'ada').expect(409);
    expect(body.code).toBe('notion_reconnect_required');
    expect(body.message).toContain(authorizations[1]!.id);
  });

  it('F1: answers alike for an unknown id and for that of another owner', async () => {
    await start();
    const { id } = await app.connect('ada');
    const foreign = await get(`/authorizations/${id}/deep`, 'bob').expect(404);
    const unknown = await get('/authorizations/3c4f7ac5-5a0e-4f4c-9b1b-0f6d5b6f7a11/deep', 'bob').expect(404);
    expect(foreign.body).toEqual(unknown.body);
    expect(foreign.body.code).toBe('notion_authorization_not_found');
    await get(`/authorizations/${encodeURIComponent("' OR 1=1--")}/deep`, 'bob').expect(404);
    expect(simulator.ledger.requests()).toEqual([]);
  });

  it('F1: checks the owner of what `resolveAuthorization` names, and believes only a string', async () => {
    let named: unknown;
    await start({ resolveAuthorization: () => named as string });
    const own = await app.connect('ada');
    const foreign = await app.connect('bob');
    named = own.id;
    await get('/who', 'ada').expect(200, { id: own.id, botId: own.botId });
    for (named of [foreign.id, '', null, undefined, { id: own.id }, [own.id]])
      await get('/who', 'ada').expect(404);
  });

  it('answers 401 to a request without an owner, and reads none from the query', async () => {
    await start();
    await app.connect('ada');
    const { body } = await get('/who?ownerId=ada&x-user=ada').expect(401);
    expect(body.code).toBe('notion_owner_required');
  });

  it('answers 409 without a call to Notion when only the person can help', async () => {
    await start();
    const { botId } = await app.connect('ada');
    simulator.revokeGrant(botId);
    await get('/who', 'ada').expect(409);
    const mark = simulator.ledger.mark();
    const { body } = await get('/who', 'ada').expect(409);
    expect(body).toMatchObject({
      code: 'notion_reconnect_required',
      message: expect.stringContaining('connect Notion again'),
    });
    expect(simulator.ledger.since(mark).requests()).toEqual([]);
  });

  it('answers 404 after a disconnect', async () => {
    await start();
    const { id } = await app.connect('ada');
    await app.store.disconnect(id, 'ada');
    await get(`/authorizations/${id}/deep`, 'ada').expect(404);
  });

  it('is named by a decorator and by the scope where it is missing', async () => {
    const lines: string[] = [];
    const spy = jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => {
      lines.push(String(line));
    });
    await start();
    const { body } = await get('/without-interceptor', 'ada').expect(500);
    spy.mockRestore();
    // The developer reads the log; the caller of the route learns nothing of the code behind it.
    expect(body).toEqual({
      code: 'notion_config_invalid',
      message: expect.not.stringContaining('Controller'),
    });
    expect(lines.join()).toContain('@NotionSdk() in PagesController.withoutInterceptor');
    await get('/without-scope', 'ada').expect(500);
  });
});

describe('NotionAuthExceptionFilter', () => {
  it('answers 502 with Retry-After while Notion asks everybody to wait', async () => {
    await start();
    const { botId } = await app.connect('ada');
    simulator.expireAccessToken(botId);
    simulator.fail('refresh', { kind: 'status', status: 429, retryAfter: 42 });
    const response = await get('/who', 'ada').expect(502);
    expect(response.body.code).toBe('notion_refresh_failed');
    expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(42);
  });

  it('writes its own status beside that of Notion', async () => {
    const lines: string[] = [];
    const spy = jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => {
      lines.push(String(line));
    });
    await start();
    const { id, botId } = await app.connect('ada');
    simulator.expireAccessToken(botId);
    simulator.fail('refresh', { kind: 'status', status: 429, retryAfter: 60 }, { times: 1 });
    await get('/who', 'ada').expect(502);
    spy.mockRestore();
    expect(lines.filter((line) => line.startsWith('request answered'))).toEqual([
      expect.stringMatching(
        `^request answered stage=api status=429 .*answered=502 authorization=${id} error=notion_refresh_failed$`,
      ),
    ]);
  });

  it("never answers 401 for Notion's 401", async () => {
    await start();
    await app.connect('ada');
    simulator.fail('api', { kind: 'status', status: 401, code: 'unauthorized' });
    const { status } = await get('/who', 'ada');
    expect(status).toBe(500);
  });
});

describe('a malformed Authorization header of a caller', () => {
  it.each(['Bearer %E0%A4%A', 'Bearer %', 'Bearer %2', 'Basic %ff', '%', `Bearer ${'%E0'.repeat(2_000)}`])(
    'J13: ends as a 401, whatever the resolver makes of it: %s',
    async (authorization) => {
      await start({ resolveOwner: ownerOfBearer });
      for (const path of ['/who', '/notion/connect', '/notion/callback?code=c&state=s']) {
        const answer = await request(app.nest.getHttpServer()).get(path).set('authorization', authorization);
        expect([path, answer.status, JSON.stringify(answer.body)]).toEqual([
          path,
          path.startsWith('/notion/callback') ? 400 : 401,
          expect.not.stringContaining('%'),
        ]);
      }
      const { id, botId } = await app.connect('ada');
      await request(app.nest.getHttpServer())
        .get('/who')
        .set('authorization', 'Bearer ada')
        .expect(200, { id, botId });
    },
  );
});
