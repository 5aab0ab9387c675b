import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NotionAuthModule, NotionConfigError } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { REDIRECT_URI } from '../support/notion-app.js';

const KEYS = [{ id: 'k1', key: randomBytes(32).toString('base64') }];

@Module({})
class SalesModule {}

@Module({})
class SupportModule {}

describe('two registrations of the module', () => {
  let simulator: NotionSimulator;
  const apps: INestApplicationContext[] = [];

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
  });

  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await simulator.close();
  });

  function registered(
    options: Pick<Parameters<typeof NotionAuthModule.forRoot>[0], 'isGlobal' | 'providers'>,
  ) {
    return NotionAuthModule.forRoot({
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
      redirectUris: [REDIRECT_URI],
      apiBaseUrl: simulator.url,
      encryptionKeys: KEYS,
      databaseFile: ':memory:',
      routes: false,
      ...options,
    });
  }

  async function start(sales: DynamicModule, support: DynamicModule): Promise<INestApplicationContext> {
    @Module({
      imports: [
        { module: SalesModule, imports: [sales] },
        { module: SupportModule, imports: [support] },
      ],
    })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    apps.push(app);
    return app;
  }

  it('are refused where both are global, with the way out', async () => {
    const starting = start(registered({}), registered({ isGlobal: true }));
    await expect(starting).rejects.toThrow(NotionConfigError);
    await expect(starting).rejects.toThrow(
      /registered globally more than once.*`providers`.*`isGlobal: false`/s,
    );
  });

  it('are refused where they are the same options, registered twice', async () => {
    const options = () => registered({});
    await expect(start(options(), options())).rejects.toThrow(NotionConfigError);
  });

  it('are one where both imports are the same registration', async () => {
    const shared = registered({});
    await expect(start(shared, shared)).resolves.toBeDefined();
  });

  it('start where at most one is global', async () => {
    await start(registered({}), registered({ isGlobal: false }));
    await start(registered({ isGlobal: false }), registered({ isGlobal: false }));
  });

  it('start in two applications of one process, each global', async () => {
    const single = () => {
      const only = registered({});
      return start(only, only);
    };
    await Promise.all([single(), single()]);
  });
});
