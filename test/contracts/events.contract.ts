import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { NestFactory } from '@nestjs/core';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionConnectService,
  NotionRefreshService,
  OnNotionAuth,
  type Authorization,
  type NotionAuthEvent,
} from 'nestjs-notion-auth';
import type { INestApplicationContext, ModuleMetadata, Provider } from '@nestjs/common';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { databaseFor, NotionApp, OWNER, type NotionAppOptions } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';
import { eventOutboxContract } from './event-outbox.contract.js';

const QUICK = { lookEveryMs: 50, maxDeliveries: 3 };

/** What one process of an application hears. */
@Injectable()
class Listener {
  readonly heard: NotionAuthEvent[] = [];
  readonly emitted: NotionAuthEvent[] = [];
  failures = 0;

  @OnNotionAuth(
    'connected',
    'needs_reconnect',
    'recovered',
    'disconnected',
    'refresh_failed',
    'configuration_alarm',
    'error_spike',
    'refresh_storm',
  )
  hear(event: NotionAuthEvent): void {
    this.heard.push(event);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('The handler is not well.');
    }
  }

  @OnEvent('notion_auth.*')
  emit(event: NotionAuthEvent): void {
    this.emitted.push(event);
  }
}

/** Listens to nothing but `connected`. */
@Injectable()
class Greeter {
  readonly heard: NotionAuthEvent[] = [];

  @OnNotionAuth('connected')
  greet(event: NotionAuthEvent): void {
    this.heard.push(event);
  }
}

/** What a process of another kind imports and provides besides. */
interface Kind {
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  readonly providers?: Provider[];
}

@Module({})
class ListeningModule {}

interface Listening {
  readonly nest: INestApplicationContext;
  readonly listener: Listener;
}

/** What events must be on every engine. */
export function eventsContract(engine: StorageEngine): void {
  eventOutboxContract(engine);

  describe(`events on ${engine.name}`, () => {
    const closers: (() => Promise<void>)[] = [];
    let notion: NotionSimulator;
    let database: { readonly options: NotionAppOptions; readonly drop: () => Promise<void> };

    beforeAll(async () => {
      notion = await NotionSimulator.start();
    });

    afterAll(() => notion.close());

    beforeEach(async () => {
      database = await databaseFor(engine);
    });

    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
      notion.clearFaults();
      await database.drop();
    });

    /** A process that changes things and hears of nothing. */
    async function startDeaf(): Promise<NotionApp> {
      const app = await NotionApp.start(notion, { ...database.options, events: QUICK });
      closers.push(() => app.close());
      return app;
    }

    async function startListening(
      app: NotionApp,
      imports: NonNullable<ModuleMetadata['imports']> = [],
    ): Promise<Listening> {
      const nest = await startKind(app, { imports, providers: [Listener] });
      return { nest, listener: nest.get(Listener) };
    }

    async function startKind(
      app: NotionApp,
      { imports = [], providers = [] }: Kind,
    ): Promise<INestApplicationContext> {
      const nest = await NestFactory.createApplicationContext(
        {
          module: ListeningModule,
          imports: [NotionAuthModule.forRoot({ ...app.options, routes: false }), ...imports],
          providers,
        },
        { logger: false, abortOnError: false },
      );
      closers.push(() => nest.close());
      return nest;
    }

    async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
      const untilMs = Date.now() + 20_000;
      while (!(await isTrue()) && Date.now() < untilMs) await pause(20);
    }

    async function heardBy(count: number, ...listening: readonly Listening[]): Promise<NotionAuthEvent[]> {
      const heard = () => listening.flatMap(({ listener }) => listener.heard);
      const untilMs = Date.now() + 10_000;
      while (heard().length < count && Date.now() < untilMs) await pause(20);
      // One more would have come by now.
      await pause(200);
      return heard().sort((one, other) => one.at.getTime() - other.at.getTime());
    }

    function refresh(app: NotionApp, { id }: Authorization) {
      return app.refreshes.refresh(id, { trigger: 'manual' });
    }

    /** The same person grants the same workspace again. */
    function grantAgain(granted: SimulatedAuthorization): SimulatedAuthorization {
      return notion.grant({ person: granted.ownerUserId!, workspace: granted.workspaceId });
    }

    it('tell each transition once over two processes, with what a message needs', async () => {
      const app = await startDeaf();
      const listening = [await startListening(app), await startListening(app)] as const;
      const granted = notion.grant();
      const authorization = await app.keep(granted);
      await heardBy(1, ...listening);
      notion.revokeGrant(granted.botId);
      await refresh(app, authorization);
      await heardBy(2, ...listening);
      await app.keep(grantAgain(granted));
      await heardBy(3, ...listening);
      await app.connect.disconnect(authorization.id, OWNER);
      const heard = await heardBy(4, ...listening);
      expect(heard.map(({ name, reason }) => [name, reason])).toEqual([
        ['connected', null],
        ['needs_reconnect', 'revoked_or_expired'],
        ['recovered', null],
        ['disconnected', null],
      ]);
      expect(new Set(heard.map(({ id }) => id)).size).toBe(4);
      for (const event of heard) {
        expect(event).toMatchObject({
          authorizationId: authorization.id,
          ownerIds: [OWNER],
          botId: expect.any(String),
          workspaceId: granted.workspaceId,
          workspaceName: granted.workspaceName,
        });
      }
    });

    it('reach the process that listens to their name, and no other kind of process takes them', async () => {
      const app = await startDeaf();
      const emitting = await startKind(app, { imports: [EventEmitterModule.forRoot()] });
      const greeter = (await startKind(app, { providers: [Greeter] })).get(Greeter);
      const dead: string[] = [];
      emitting
        .get(EventEmitter2)
        .on('notion_auth.needs_reconnect', ({ authorizationId }: NotionAuthEvent) => {
          dead.push(authorizationId!);
        });
      const listeners = (
        await startKind(app, { providers: [{ provide: 'all', useValue: new Listener() }] })
      ).get<Listener>('all');
      const grants = Array.from({ length: 4 }, () => notion.grant());
      const kept = [];
      for (const granted of grants) kept.push(await app.keep(granted));
      for (const { botId } of grants) notion.revokeGrant(botId);
      for (const authorization of kept) await refresh(app, authorization);
      const heardOf = (name: string) => [
        ...listeners.heard
          .filter((event) => event.name === name)
          .map(({ authorizationId }) => authorizationId),
        ...(name === 'connected' ? greeter.heard.map(({ authorizationId }) => authorizationId) : dead),
      ];
      await until(() => heardOf('needs_reconnect').length >= 4 && heardOf('connected').length >= 4);
      const ids = kept.map(({ id }) => id).sort();
      expect(heardOf('connected').sort()).toEqual(ids);
      expect(heardOf('needs_reconnect').sort()).toEqual(ids);
      expect(greeter.heard.every(({ name }) => name === 'connected')).toBe(true);
    });

    it('wait for a listener while processes have only an event emitter that listens to something else', async () => {
      const app = await startDeaf();
      const nest = await startKind(app, { imports: [EventEmitterModule.forRoot()] });
      const emitter = nest.get(EventEmitter2);
      emitter.on('something_else', () => undefined);
      emitter.on('notion_auth.recovered', () => undefined);
      const first = await app.keep(notion.grant());
      // An event that this process does hear shows that it has looked since.
      const granted = notion.grant();
      const second = await app.keep(granted);
      const heard: NotionAuthEvent[] = [];
      emitter.on('notion_auth.needs_reconnect', (event: NotionAuthEvent) => heard.push(event));
      notion.revokeGrant(granted.botId);
      await refresh(app, second);
      await until(() => heard.length > 0);
      const { listener, nest: later } = await startListening(app);
      await heardBy(2, { listener, nest: later });
      expect(listener.heard.map(({ authorizationId }) => authorizationId)).toEqual([first.id, second.id]);
    });

    it('that are older than their retention are never delivered, and are pruned by a process without listeners', async () => {
      const app = await startDeaf();
      const connectMany = async () => {
        for (let person = 0; person < 5; person++) await app.keep(notion.grant());
      };
      const query = (sql: string) => app.database.read(({ manager }) => manager.query<unknown[]>(sql));
      await connectMany();
      const aged = `created_at = created_at - ${String(90 * 86_400_000)}`;
      await query(`UPDATE notion_event SET next_delivery_at = next_delivery_at - 1000, ${aged}`);
      await query(
        `INSERT INTO notion_webhook_event (client_id, event_id, received_at) VALUES ('${notion.clientId}', 'old', 1)`,
      );
      const young = await app.keep(notion.grant());
      const greeter = (await startKind(app, { providers: [Greeter] })).get(Greeter);
      await until(() => greeter.heard.length > 0);
      expect(greeter.heard).toMatchObject([{ authorizationId: young.id }]);
      await startDeaf();
      await until(async () => (await query('SELECT id FROM notion_event')).length === 1);
      expect(await query('SELECT authorization_id FROM notion_event')).toEqual([
        { authorization_id: young.id },
      ]);
      await until(async () => (await query('SELECT event_id FROM notion_webhook_event')).length === 0);
      expect(await query('SELECT event_id FROM notion_webhook_event')).toEqual([]);
    });

    it('are kept for a listener that starts later, and come once', async () => {
      const app = await startDeaf();
      const authorization = await app.keep(notion.grant());
      const listening = await startListening(app);
      expect(await heardBy(1, listening)).toMatchObject([
        { name: 'connected', authorizationId: authorization.id },
      ]);
    });

    it('come again under the same id when a listener fails, and are given up in the end', async () => {
      const app = await startDeaf();
      const listening = await startListening(app);
      listening.listener.failures = Infinity;
      await app.keep(notion.grant());
      await heardBy(1, listening);
      for (let round = 0; round < 4; round++) {
        await app.database.read(({ manager }) =>
          manager.query('UPDATE notion_event SET next_delivery_at = 0 WHERE next_delivery_at IS NOT NULL'),
        );
        await pause(150);
      }
      const { heard } = listening.listener;
      expect(heard).toHaveLength(QUICK.maxDeliveries);
      expect(new Set(heard.map(({ id }) => id)).size).toBe(1);
    });

    it('raise one alarm for a client that Notion refuses, however many refreshes meet it', async () => {
      const app = await startDeaf();
      const people = [];
      for (let person = 0; person < 6; person++) people.push(await app.keep(notion.grant()));
      const listening = await startListening(app);
      await heardBy(people.length, listening);
      notion.fail('refresh', { kind: 'status', status: 401, code: 'invalid_client' });
      await Promise.all(people.map((person) => refresh(app, person)));
      const heard = await heardBy(people.length + 1, listening);
      expect(heard.slice(people.length)).toMatchObject([
        { name: 'configuration_alarm', reason: 'configuration', authorizationId: null, ownerIds: [] },
      ]);
    });

    it('tell of an outcome that nobody knows, once for its attempt', async () => {
      const app = await startDeaf();
      const authorization = await app.keep(notion.grant());
      const listening = await startListening(app);
      notion.fail('refresh', { kind: 'drop_after' }, { times: 1 });
      await refresh(app, authorization);
      const heard = await heardBy(2, listening);
      expect(heard.map(({ name }) => name)).toEqual(['connected', 'refresh_failed']);
    });

    it('tell of an authorization that stands out, once for all that notice', async () => {
      const app = await startDeaf();
      const authorization = await app.keep(notion.grant());
      const listening = [await startListening(app), await startListening(app)] as const;
      await heardBy(1, ...listening);
      notion.fail('api', { kind: 'status', status: 404 });
      for (const { nest } of listening) {
        const call = nest.get(NotionClientFactory).fetchFor(authorization.id);
        for (let index = 0; index < 25; index++) await call('/v1/users/me');
      }
      const heard = await heardBy(2, ...listening);
      expect(heard.map(({ name }) => name)).toEqual(['connected', 'error_spike']);
    });

    it('go through the event emitter of the application as well, where it has one', async () => {
      const app = await startDeaf();
      const { nest, listener } = await startListening(app, [EventEmitterModule.forRoot({ wildcard: true })]);
      expect(nest.get(EventEmitter2)).toBeDefined();
      const authorization = await app.keep(notion.grant());
      const untilMs = Date.now() + 5_000;
      while (listener.emitted.length === 0 && Date.now() < untilMs) await pause(20);
      expect(listener.emitted).toMatchObject([{ name: 'connected', authorizationId: authorization.id }]);
      expect(listener.heard).toEqual(listener.emitted);
    });

    it('G13: hold no token, and the link to reconnect holds none either', async () => {
      const app = await startDeaf();
      const granted = notion.grant();
      const authorization = await app.keep(granted);
      const { nest, listener } = await startListening(app);
      await nest.get(NotionRefreshService).refresh(authorization.id, { trigger: 'manual' });
      await heardBy(1, { nest, listener });
      const link = nest.get(NotionConnectService).reconnectLink(authorization.id, { returnTo: '/settings' });
      expect(link).toBe(
        `https://app.example/notion/connect?reconnect=${authorization.id}&returnTo=%2Fsettings`,
      );
      const shown = JSON.stringify(listener.heard) + link;
      for (const { value } of notion.ledger.tokens()) expect(shown.includes(value)).toBe(false);
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
