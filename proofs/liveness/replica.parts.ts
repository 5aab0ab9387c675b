import { Injectable, Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import {
  AuthorizationStore,
  Clock,
  NOTION_AUTH_CONFIG,
  NotionAuthModule,
  NotionOAuth,
  OnNotionAuth,
  TokenCipher,
  TypeOrmAuthorizationStore,
  type AttemptEnding,
  type Claim,
  type NotionAuthConfig,
  type NotionAuthEvent,
  type NotionAuthOptions,
  type StoreVerdict,
  type TokenPair,
} from '../../src/index.js';
import { DatabaseWatch } from '../../src/domain/database-watch.js';
import type { ExchangeAnswer, IntrospectionAnswer, RefreshAnswer } from '../../src/domain/notion-oauth.js';
import type { Secret } from '../../src/domain/secret.js';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { TypeOrmDatabaseWatch } from '../../src/storage/typeorm-database.watch.js';
import type { NotionWorld } from './notion.world.js';
import type { ReplicaDatabase } from './replica.database.js';
import type { VirtualTime } from './virtual.time.js';

/**
 * What an application brings along besides this module. Only a worker listens to `needs_reconnect`.
 *
 * - `emitter`: `EventEmitterModule`, for purposes of its own.
 * - `greeter`: a listener of `connected`.
 */
export const REPLICA_KINDS = ['worker', 'emitter', 'greeter', 'worker'] as const;
export type ReplicaKind = (typeof REPLICA_KINDS)[number];

/** Of the machine that a replica runs on. */
export class ReplicaClock extends Clock {
  /** Of its wall clock. */
  offsetMs = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly isDead: () => boolean,
  ) {
    super();
  }

  override now(): Date {
    return new Date(this.time.epochMs + this.offsetMs);
  }

  override monotonicMs(): number {
    return this.time.nowMs;
  }

  override async sleep(durationMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, durationMs));
    if (this.isDead()) await new Promise(() => undefined);
  }
}

/** Notion as one replica reaches it. */
class ReplicaOAuth extends NotionOAuth {
  /** Bot ids of the grants that are being refreshed. */
  readonly underWay = new Map<string, number>();

  constructor(
    private readonly world: NotionWorld,
    private readonly replica: ReplicaDatabase,
  ) {
    super();
  }

  override authorizeUrl(): string {
    throw new Error('No browser takes part in this simulation.');
  }

  override exchange(): Promise<ExchangeAnswer> {
    throw new Error('No code is exchanged in this simulation.');
  }

  override async refresh(
    token: Secret,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<RefreshAnswer> {
    return this.heard(await this.world.refresh(token, timeoutMs, () => !this.replica.isDead));
  }

  override async introspect(token: Secret): Promise<IntrospectionAnswer> {
    return this.heard(await this.world.introspect(token));
  }

  override revoke(): Promise<boolean> {
    return this.heard(true);
  }

  private async heard<T>(answer: T): Promise<T> {
    if (this.replica.isDead) await new Promise(() => undefined);
    return answer;
  }
}

@Injectable()
class Mailer {
  hear: (event: NotionAuthEvent) => void = () => undefined;

  @OnNotionAuth('needs_reconnect')
  tell(event: NotionAuthEvent): void {
    this.hear(event);
  }
}

@Injectable()
class Greeter {
  @OnNotionAuth('connected')
  greet(): void {
    // It greets.
  }
}

@Module({})
class ReplicaModule {}

export interface ReplicaScene {
  readonly kind: ReplicaKind;
  readonly options: NotionAuthOptions;
  readonly database: ReplicaDatabase;
  readonly clock: ReplicaClock;
  readonly world: NotionWorld;
  /** A worker's mailer calls it. */
  readonly hear: (event: NotionAuthEvent) => void;
}

/** The application of one replica: the module itself, with its ports replaced by the simulation. */
export function replicaModule(scene: ReplicaScene): DynamicModule {
  const { kind, options } = scene;
  const providers: Record<ReplicaKind, Provider[]> = {
    worker: [{ provide: Mailer, useFactory: () => Object.assign(new Mailer(), { hear: scene.hear }) }],
    emitter: [],
    greeter: [Greeter],
  };
  return {
    module: ReplicaModule as Type,
    imports: [
      NotionAuthModule.forRoot({
        ...options,
        routes: false,
        dataSource: 'virtual',
        providers: portsOf(scene),
      }),
      ...(kind === 'emitter' ? [EventEmitterModule.forRoot()] : []),
    ],
    providers: providers[kind],
  };
}

function portsOf({ database, clock, world }: ReplicaScene): Provider[] {
  return [
    { provide: NotionDatabase, useValue: database.database },
    { provide: Clock, useValue: clock },
    { provide: NotionOAuth, useFactory: () => new ReplicaOAuth(world, database) },
    {
      provide: DatabaseWatch,
      inject: [NOTION_AUTH_CONFIG],
      useFactory: (config: NotionAuthConfig) =>
        new TypeOrmDatabaseWatch(database.asPostgres(), config, clock),
    },
    {
      provide: AuthorizationStore,
      inject: [NOTION_AUTH_CONFIG, TokenCipher],
      useFactory: (config: NotionAuthConfig, cipher: TokenCipher) =>
        new WatchedStore(database.database, config, cipher, world),
    },
  ];
}

/** The library's own store; tells the simulation what it holds. */
class WatchedStore extends TypeOrmAuthorizationStore {
  constructor(
    database: NotionDatabase,
    config: NotionAuthConfig,
    cipher: TokenCipher,
    private readonly world: NotionWorld,
  ) {
    super(database, config, cipher);
  }

  override async storePair(claim: Claim, pair: TokenPair, ending: AttemptEnding): Promise<StoreVerdict> {
    const verdict = await super.storePair(claim, pair, ending);
    const generation = Number(pair.accessToken.reveal().split('_')[2]);
    const grant = this.world.grants.get(claim.botId);
    if (verdict.stored && grant !== undefined)
      grant.heldGeneration = Math.max(grant.heldGeneration, generation);
    return verdict;
  }
}
