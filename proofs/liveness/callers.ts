import { NotionReconnectRequiredError } from '../../src/index.js';
import { ReplicaGone, type FleetReplica } from './fleet.replica.js';
import type { FleetWorld } from './fleet.world.js';
import type { Account } from './tenants.js';

export type CallEnd = 'served' | 'reconnect' | 'failed';

/** Connections that a caller makes when replicas go while they work for it. */
const CONNECTIONS = 3;

/** Jobs of tenants reach the replicas through a load balancer. */
export class Callers {
  private turn = 0;

  constructor(
    private readonly world: FleetWorld,
    private readonly ready: () => readonly FleetReplica[],
  ) {}

  /** As many calls as the tenant makes at once, each to another replica. */
  callInParallel(account: Account): Promise<CallEnd[]> {
    // Or the first call of every job would land on the same replica.
    this.turn = this.world.random.whole(0, 1_000);
    return Promise.all(Array.from({ length: account.tenant.parallel }, () => this.call(account)));
  }

  private async call(account: Account): Promise<CallEnd> {
    for (let connections = 1; connections <= CONNECTIONS; connections++) {
      const replica = this.next();
      if (replica === undefined) return 'failed';
      try {
        return await this.callOn(replica, account);
      } catch (error) {
        if (error instanceof NotionReconnectRequiredError) return 'reconnect';
        if (!(error instanceof ReplicaGone)) return 'failed';
      }
    }
    return 'failed';
  }

  /** As the module's own HTTP layer: a token that Notion rejects is handed back for a newer one. */
  async callOn(replica: FleetReplica, account: Account): Promise<CallEnd> {
    const { notion } = this.world;
    let token = await replica.getAccessToken(account.id);
    for (let renewals = 0; renewals < 2 && !notion.accepts(token); renewals++) {
      token = await replica.getAccessToken(account.id, token);
    }
    if (!notion.accepts(token)) return 'failed';
    account.grant.heldGeneration = account.grant.generation;
    return 'served';
  }

  /** Whose turn it is. */
  next(): FleetReplica | undefined {
    const ready = this.ready();
    this.turn += 1;
    return ready[this.turn % Math.max(1, ready.length)];
  }
}
