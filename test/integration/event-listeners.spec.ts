import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Inject,
  Injectable,
  Module,
  Scope,
  type DynamicModule,
  type INestApplicationContext,
  type Provider,
} from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { NotionAuthModule, OnNotionAuth, type NotionAuthEvent } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { databaseFor, NotionApp, OWNER } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const EVENTS = { lookEveryMs: 50 };

interface Mail {
  readonly from: object;
  readonly about: string | null;
}

let notion: NotionSimulator;
let storage: Awaited<ReturnType<typeof databaseFor>>;
let app: NotionApp;
let running: INestApplicationContext[];
let mails: Mail[];

beforeEach(async () => {
  notion = await NotionSimulator.start();
  storage = await databaseFor(sqlite);
  app = await NotionApp.start(notion, { ...storage.options, events: EVENTS });
  running = [];
  mails = [];
});

afterEach(async () => {
  for (const nest of running) await nest.close();
  await app.close();
  await notion.close();
  await storage.drop();
});

@Module({})
class MailModule {}

@Module({})
class RootModule {}

/** The listeners are in a feature module of the application, which exports none of them. */
async function start(
  providers: Provider[],
  events: object = EVENTS,
  imports: DynamicModule[] = [],
): Promise<INestApplicationContext> {
  const nest = await NestFactory.createApplicationContext(
    {
      module: RootModule,
      imports: [
        NotionAuthModule.forRoot({ ...app.options, routes: false, events: { ...EVENTS, ...events } }),
        { module: MailModule, providers },
        ...imports,
      ],
    },
    { logger: false, abortOnError: false },
  );
  running.push(nest);
  return nest;
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + 20_000;
  while (!(await isTrue()) && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function connectMany(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let person = 0; person < count; person++) ids.push((await app.keep(notion.grant())).id);
  return ids;
}

const aboutOf = () => mails.map(({ about }) => about).sort();

describe('a listener that is made for each delivery', () => {
  it('because it injects something request-scoped, gets the event, also as REQUEST', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class TenantMailer {
      constructor(@Inject(REQUEST) private readonly event: NotionAuthEvent) {}

      send(from: object): void {
        mails.push({ from, about: this.event.authorizationId });
      }
    }
    @Injectable()
    class ConnectMail {
      constructor(private readonly mailer: TenantMailer) {}

      @OnNotionAuth('connected')
      tell(): void {
        this.mailer.send(this.mailer);
      }
    }
    await start([TenantMailer, ConnectMail]);
    const ids = await connectMany(3);
    await until(() => mails.length >= 3);
    expect(aboutOf()).toEqual(ids.sort());
    expect(new Set(mails.map(({ from }) => from)).size).toBe(3);
  });

  it.each([
    ['request-scoped', { scope: Scope.REQUEST }],
    ['durable', { scope: Scope.REQUEST, durable: true }],
    ['transient', { scope: Scope.TRANSIENT }],
  ])('because it is %s, gets each event once, as an instance of its own', async (_, options) => {
    @Injectable()
    class Mailer {
      readonly sent = new Set<string | null>();
    }
    @Injectable(options)
    class ConnectMail {
      constructor(readonly mailer: Mailer) {}

      @OnNotionAuth('connected')
      tell({ authorizationId }: NotionAuthEvent): void {
        this.mailer.sent.add(authorizationId);
        mails.push({ from: this, about: authorizationId });
      }
    }
    @Injectable()
    class Consumer {
      constructor(readonly mail: ConnectMail) {}
    }
    await start([Mailer, ConnectMail, Consumer, { provide: 'alias', useExisting: ConnectMail }]);
    const ids = await connectMany(2);
    await until(() => mails.length >= 2);
    expect(aboutOf()).toEqual(ids.sort());
    expect(new Set(mails.map(({ from }) => from)).size).toBe(2);
  });

  it('because a request-scoped factory makes it, is found by its class', async () => {
    class ConnectMail {
      @OnNotionAuth('connected')
      tell({ authorizationId }: NotionAuthEvent): void {
        mails.push({ from: this, about: authorizationId });
      }
    }
    const provider = { provide: ConnectMail, useFactory: () => new ConnectMail(), scope: Scope.REQUEST };
    await start([provider]);
    const ids = await connectMany(1);
    await until(() => mails.length > 0);
    expect(aboutOf()).toEqual(ids);
  });
});

describe('a listener that hangs', () => {
  /** Hangs on the first event that it hears, for ever. */
  @Injectable()
  class Hanging {
    readonly heard: NotionAuthEvent[] = [];
    readonly others: NotionAuthEvent[] = [];

    @OnNotionAuth('connected')
    async tell(event: NotionAuthEvent): Promise<void> {
      this.heard.push(event);
      if (event.id === this.heard[0]!.id) await new Promise(() => undefined);
    }

    @OnNotionAuth('disconnected', 'needs_reconnect')
    hear(event: NotionAuthEvent): void {
      this.others.push(event);
    }
  }

  it('delays no event of another authorization, and gets its own again after the lease', async () => {
    const hanging = (await start([Hanging], { leaseMs: 500 })).get(Hanging, { strict: false });
    const [first] = await connectMany(1);
    await until(() => hanging.heard.length === 1);
    const ids = await connectMany(30);
    await app.connect.disconnect(ids[0]!, OWNER);
    await until(() => new Set(hanging.heard.map(({ id }) => id)).size === 31 && hanging.others.length === 1);
    expect(new Set(hanging.heard.map(({ id }) => id)).size).toBe(31);
    expect(hanging.others).toMatchObject([{ name: 'disconnected', authorizationId: ids[0] }]);
    const again = () => hanging.heard.filter(({ authorizationId }) => authorizationId === first);
    // A lease ends within half a second; what is due later than that has been postponed after it.
    const due = `UPDATE notion_event SET next_delivery_at = 0 WHERE next_delivery_at > ${String(Date.now() + 3_000)}`;
    await until(async () => {
      await app.database.read(({ manager }) => manager.query(due));
      return again().length > 1;
    });
    expect(again().length).toBeGreaterThan(1);
    expect(new Set(again().map(({ id }) => id)).size).toBe(1);
  });

  it('holds the events of its authorization back until the lease ends, and the end of the application as well', async () => {
    const nest = await start([Hanging], { leaseMs: 500 });
    const hanging = nest.get(Hanging, { strict: false });
    const [id] = await connectMany(1);
    await until(() => hanging.heard.length === 1);
    await app.connect.disconnect(id!, OWNER);
    await until(() => hanging.others.length === 1);
    expect(hanging.others).toMatchObject([{ name: 'disconnected', authorizationId: id }]);
    await nest.close();
  });
});

describe('listeners of an event emitter', () => {
  it('hear what they are there for: a listener of anything hears, and what one for a single event leaves stays', async () => {
    const ids = await connectMany(3);
    const nest = await start([], EVENTS, [EventEmitterModule.forRoot()]);
    const emitter = nest.get(EventEmitter2, { strict: false });
    const heard: string[] = [];
    emitter.once('notion_auth.connected', ({ authorizationId }: NotionAuthEvent) => {
      heard.push(authorizationId!);
    });
    await until(() => heard.length === 1);
    emitter.onAny((_, { authorizationId }: NotionAuthEvent) => {
      heard.push(authorizationId!);
    });
    await until(() => heard.length === 3);
    expect(heard.sort()).toEqual(ids.sort());
  });
});

describe('listeners of an application with two clients', () => {
  it('hear the events of both, each once and with its client', async () => {
    const other = await NotionSimulator.start();
    @Injectable()
    class Everything {
      readonly heard: NotionAuthEvent[] = [];

      @OnNotionAuth('connected')
      tell(event: NotionAuthEvent): void {
        this.heard.push(event);
      }
    }
    const otherApp = await NotionApp.start(other, { ...storage.options, events: EVENTS });
    const module = (options: NotionApp['options']) =>
      NotionAuthModule.forRoot({ ...options, routes: false, isGlobal: false });
    const nest = await NestFactory.createApplicationContext(
      {
        module: RootModule,
        imports: [
          { module: MailModule, imports: [module(app.options)], providers: [Everything] },
          module(otherApp.options),
        ],
      },
      { logger: false, abortOnError: false },
    );
    running.push(nest);
    const [mine] = await connectMany(1);
    const theirs = await otherApp.keep(other.grant());
    const { heard } = nest.get(Everything, { strict: false });
    await until(() => heard.length >= 2);
    expect(
      Object.fromEntries(heard.map(({ clientId, authorizationId }) => [clientId, authorizationId])),
    ).toEqual({
      [notion.clientId]: mine,
      [other.clientId]: theirs.id,
    });
    expect(heard).toHaveLength(2);
    await otherApp.close();
    await other.close();
  });
});
