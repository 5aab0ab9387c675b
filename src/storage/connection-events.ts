import type { Driver } from 'typeorm';

interface PoolEvents {
  on(event: string, listener: () => void): unknown;
}

/**
 * Tells when a connection broke or a new one was made. A connection that the pool lets go because it was idle is no
 * news, so the pool's `remove` is not listened to: one that is removed because it broke has said so before.
 */
export class ConnectionEvents {
  private readonly listeners = new Set<() => void>();

  constructor(driver: Driver) {
    const { master, pool } = driver as Driver & { readonly master?: unknown; readonly pool?: unknown };
    // `pg` calls it `connect`, `mysql2` `connection`; an idle connection that breaks is an `error` of the pool.
    for (const events of [master, pool].filter(isPool)) {
      for (const event of ['connect', 'connection', 'error']) {
        events.on(event, () => {
          this.tell();
        });
      }
    }
  }

  listen(listener: () => void): void {
    this.listeners.add(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }
}

function isPool(candidate: unknown): candidate is PoolEvents {
  return typeof (candidate as Partial<PoolEvents> | undefined)?.on === 'function';
}
