import { createHash } from 'node:crypto';
import { SeededRandom } from '../harness/seeded.random.js';
import type { NotionAuthOptions } from '../../src/index.js';
import { LEASE_MS } from './bounds.js';
import { NotionWorld } from './notion.world.js';
import { freeChance, seedChance } from './seeded.chance.js';
import { VirtualDatabase } from './virtual.database.js';
import { VirtualTime } from './virtual.time.js';

export const CLIENT_ID = 'virtual-client';
export const REDIRECT_URI = 'http://localhost:3000/notion/callback';
/** Of no use anywhere else. */
const KEY = createHash('sha256').update('a key of the liveness proof').digest('base64');
export const EVENTS_KEPT_MS = 2 * 3_600_000;

/** Everything outside of the replicas: time, chance, the database server, Notion. */
export class FleetWorld {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly notion: NotionWorld;
  readonly options: NotionAuthOptions = {
    clientId: CLIENT_ID,
    clientSecret: 'virtual-secret',
    redirectUris: [REDIRECT_URI],
    encryptionKeys: [{ id: 'k1', key: KEY }],
    production: false,
    // Rarer looks and shorter leases than by default, for the sake of the machine that simulates them.
    refresh: { retainMs: 3_000, leaseMs: LEASE_MS, requestTimeoutMs: 30_000, leaseMarginMs: 10_000 },
    events: { lookEveryMs: 20_000, keepMs: EVENTS_KEPT_MS },
    revocation: { lookEveryMs: 300_000 },
  };
  private readonly trace = createHash('sha256');

  private constructor(
    seed: number,
    readonly server: VirtualDatabase,
  ) {
    this.time = new VirtualTime(() => server.rest());
    server.startClock(this.time);
    this.random = new SeededRandom(seed);
    this.notion = new NotionWorld(this.time, this.random);
    this.notion.onRequest = ({ botId }, end) => {
      this.note(`notion ${botId} ${end}`);
    };
  }

  /** From now to {@link close} this process lives in the simulation's time. */
  static async open(seed: number): Promise<FleetWorld> {
    const world = new FleetWorld(seed, await VirtualDatabase.open());
    world.time.install();
    seedChance(world.random);
    return world;
  }

  /** What happened, for {@link digest}. */
  note(what: string): void {
    if (process.env['LIVENESS_TRACE'] !== undefined)
      process.stderr.write(`${String(this.time.nowMs)} ${what}\n`);
    this.trace.update(`${String(this.time.nowMs)} ${what}\n`);
  }

  /** The same for two runs in which the same things happened at the same times. */
  digest(): string {
    return this.trace.copy().digest('hex').slice(0, 16);
  }

  async close(): Promise<void> {
    this.time.end();
    this.time.uninstall();
    freeChance();
    await this.server.close();
  }
}
