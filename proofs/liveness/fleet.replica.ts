import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AuthorizationStore,
  NotionRefreshSweep,
  NotionTokenService,
  type AccessToken,
} from '../../src/index.js';
import { ReplicaDatabase } from './replica.database.js';
import { ReplicaClock, replicaModule, type ReplicaKind, type ReplicaScene } from './replica.parts.js';
import type { FleetWorld } from './fleet.world.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'exit'] as const;

/** The caller's connection to the replica broke. */
export class ReplicaGone extends Error {}

/** One process of the fleet: a real application of its own, on the virtual database and in virtual time. */
export class FleetReplica {
  readonly database: ReplicaDatabase;
  readonly clock: ReplicaClock;
  /** Authorizations that callers here wait for, and how many of them. */
  readonly waitedFor = new Map<string, number>();
  isReady = false;
  private application: INestApplicationContext | null = null;
  private readonly abandon = new Set<() => void>();
  private ownListeners: [string, () => void][] = [];

  constructor(
    readonly name: string,
    readonly kind: ReplicaKind,
    private readonly world: FleetWorld,
  ) {
    this.database = new ReplicaDatabase(world.server, world.time, world.random);
    this.clock = new ReplicaClock(world.time, () => this.database.isDead);
    this.database.onDeath = () => {
      this.kill();
    };
  }

  /** @throws what keeps the application from starting. */
  async start(hear: ReplicaScene['hear']): Promise<void> {
    const before = SIGNALS.map((signal) => process.listeners(signal as 'exit'));
    const { world, kind, database, clock } = this;
    const scene = { kind, database, clock, hear, options: world.options, world: world.notion };
    this.application = await NestFactory.createApplicationContext(replicaModule(scene), {
      logger: false,
      abortOnError: false,
    });
    this.ownListeners = SIGNALS.flatMap((signal, index) =>
      process
        .listeners(signal as 'exit')
        .filter((listener) => !before[index]!.includes(listener))
        .map((listener): [string, () => void] => [signal, listener as () => void]),
    );
    this.isReady = true;
  }

  /** As SIGKILL does: nothing that it had under way ever ends. */
  kill(): void {
    this.isReady = false;
    this.database.isDead = true;
    for (const [signal, listener] of this.ownListeners) process.removeListener(signal, listener);
    for (const leave of [...this.abandon]) leave();
    this.abandon.clear();
  }

  /** As a deployment does: no new callers, then the end of the application. */
  async close(): Promise<void> {
    this.isReady = false;
    await this.application?.close();
    this.kill();
  }

  getAccessToken(id: string, rejected?: AccessToken): Promise<AccessToken> {
    return this.whileAlive(id, this.get(NotionTokenService).getAccessToken(id, { rejected }));
  }

  get store(): AuthorizationStore {
    return this.get(AuthorizationStore);
  }

  sweep(): Promise<unknown> {
    return this.whileAlive('sweep', this.get(NotionRefreshSweep).run());
  }

  /** What a part of the module keeps in a private field, counted. */
  sizeOf(part: abstract new (...given: never[]) => object, field: string): number {
    const kept = (this.get(part) as Record<string, unknown>)[field] as
      { size?: number; length?: number } | undefined;
    return kept?.size ?? kept?.length ?? 0;
  }

  /** The promise, or the caller's error when the replica goes. */
  whileAlive<T>(about: string, promise: Promise<T>): Promise<T> {
    this.waitedFor.set(about, (this.waitedFor.get(about) ?? 0) + 1);
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        reject(new ReplicaGone());
      };
      this.abandon.add(leave);
      promise.then(resolve, reject).finally(() => {
        this.abandon.delete(leave);
        const others = (this.waitedFor.get(about) ?? 1) - 1;
        if (others > 0) this.waitedFor.set(about, others);
        else this.waitedFor.delete(about);
      });
    });
  }

  private get<T extends object>(part: abstract new (...given: never[]) => T): T {
    if (this.application === null) throw new ReplicaGone();
    return this.application.get<T>(part, { strict: false });
  }
}
