import type { Driver } from 'typeorm';

interface Emitter {
  on(event: string, listener: (subject: unknown) => void): unknown;
}

/**
 * Tells when a connection broke or a new one was made. A connection that the pool lets go because it was idle is no
 * news, so the pool's `remove` is not listened to: one that is removed because it broke has said so before.
 */
export class ConnectionEvents {
  private readonly listeners = new Set<() => void>();
  /** Private also to whoever prints it: a connection knows its password. */
  readonly #guarded = new WeakSet();

  constructor(driver: Driver) {
    const { master, pool } = driver as Driver & { readonly master?: unknown; readonly pool?: unknown };
    // `pg` calls it `connect`, `mysql2` `connection`; an idle connection that breaks is an `error` of the pool.
    for (const events of [master, pool].filter(isEmitter)) {
      for (const event of ['connect', 'connection', 'error']) {
        events.on(event, () => {
          this.tell();
        });
      }
      events.on('acquire', (connection) => {
        if (isEmitter(connection)) this.guard(connection);
      });
    }
  }

  listen(listener: () => void): void {
    this.listeners.add(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /**
   * For a moment while the pool hands a connection over nobody listens for its errors, and a session that is killed
   * just then would end the whole process.
   */
  private guard(connection: Emitter): void {
    if (this.#guarded.has(connection)) return;
    this.#guarded.add(connection);
    connection.on('error', () => {
      this.tell();
    });
  }
}

function isEmitter(candidate: unknown): candidate is Emitter {
  return typeof (candidate as Partial<Emitter> | null | undefined)?.on === 'function';
}
