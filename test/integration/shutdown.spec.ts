import { Injectable, Module, type DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionRefreshBusyError,
  NotionTokenService,
  type OutboundOptions,
} from 'nestjs-notion-auth';
import { shutdownContract } from '../contracts/shutdown.contract.js';
import { ForwardProxy } from '../support/forward.proxy.js';
import { SignalStage } from '../support/signal.stage.js';
import { sqlite } from '../support/storage.harness.js';

let stage: SignalStage;

beforeAll(async () => {
  stage = await SignalStage.open();
});

afterEach(() => stage.clear());

afterAll(() => stage.close());

shutdownContract({
  ...sqlite,
  refuse: [
    `CREATE TRIGGER away BEFORE UPDATE OF version ON notion_authorization BEGIN SELECT RAISE(ABORT, 'away'); END`,
  ],
  allow: ['DROP TRIGGER away'],
  sharesDataSource: false,
});

describe("the application's own shutdown work", () => {
  const HOOKS = ['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const;
  type Hook = (typeof HOOKS)[number];

  /** Finishes its jobs in every hook, as a queue's worker does. */
  @Injectable()
  class Worker {
    static job: (hook: Hook, worker: Worker) => Promise<void>;

    constructor(
      readonly clients: NotionClientFactory,
      readonly tokens: NotionTokenService,
    ) {}

    onModuleDestroy = () => Worker.job('onModuleDestroy', this);
    beforeApplicationShutdown = () => Worker.job('beforeApplicationShutdown', this);
    onApplicationShutdown = () => Worker.job('onApplicationShutdown', this);
  }

  @Module({})
  class WorkerModule {}

  @Module({})
  class FeatureModule {}

  /** @param isGlobal - The worker's module, or else the library's, is torn down early. */
  async function startWorker(
    isGlobal: boolean,
    outbound: OutboundOptions = {},
  ): Promise<{ close(): Promise<void>; get: (typeof Worker)['prototype'] }> {
    const notion = NotionAuthModule.forRoot({ ...stage.app.options, routes: false, isGlobal, outbound });
    const work: DynamicModule = {
      module: WorkerModule,
      global: isGlobal,
      imports: isGlobal ? [] : [notion],
      providers: [Worker],
    };
    const imports = isGlobal ? [work, notion] : [{ module: FeatureModule, imports: [work] }];
    const module = await Test.createTestingModule({ imports }).compile();
    await module.init();
    return { close: () => module.close(), get: module.get(Worker, { strict: false }) };
  }

  it.each([true, false])(
    'calls Notion with a valid token in every hook (global module: %s)',
    async (isGlobal) => {
      const [id] = (await stage.connect(1)) as [string];
      const app = await startWorker(isGlobal);
      const done: string[] = [];
      await app.get.clients.forAuthorization(id).users.me({});
      Worker.job = async (hook, { clients }) => {
        const { object } = await clients.forAuthorization(id).users.me({});
        done.push(`${hook}: ${object}`);
      };
      await app.close();
      expect(done).toEqual(HOOKS.map((hook) => `${hook}: user`));
    },
  );

  it('calls Notion through an outgoing proxy in every hook', async () => {
    const [id] = (await stage.connect(1)) as [string];
    const proxy = await ForwardProxy.start();
    proxy.leadsTo = stage.simulator.url;
    const app = await startWorker(false, { proxy: `http://${proxy.host}` });
    const done: string[] = [];
    Worker.job = async (hook, { clients }) => {
      await clients.forAuthorization(id).users.me({});
      done.push(hook);
    };
    await app.close();
    expect(done).toEqual(HOOKS);
    expect(proxy.targets.length).toBeGreaterThan(0);
    await proxy.close();
  });

  it('reads its token from the database until that is closed', async () => {
    const ids = await stage.connect(2);
    const app = await startWorker(false);
    Worker.job = async (hook, { clients }) => {
      const id = ids[HOOKS.indexOf(hook)];
      if (id !== undefined) await clients.forAuthorization(id).users.me({});
    };
    const mark = stage.simulator.ledger.mark();
    await app.close();
    expect(stage.simulator.ledger.since(mark).apiCalls({ status: 200 })).toBe(2);
  });

  it('gets an error at once for a dead token, and no refresh', async () => {
    const granted = stage.simulator.grant();
    const { id } = await stage.app.keep(granted);
    stage.simulator.expireAccessToken(granted.botId);
    const app = await startWorker(false);
    const errors: unknown[] = [];
    Worker.job = async (hook, { clients }) => {
      if (hook !== 'beforeApplicationShutdown') return;
      await clients
        .forAuthorization(id)
        .users.me({})
        .catch((error: unknown) => errors.push(error));
    };
    const mark = stage.simulator.ledger.mark();
    await app.close();
    expect(errors).toEqual([expect.any(NotionRefreshBusyError)]);
    expect(stage.simulator.ledger.since(mark).tokenRequests()).toBe(0);
  });
});
