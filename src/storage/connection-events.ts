import type { Driver } from 'typeorm';

interface EventSource {
  on(event: string, listener: (subject?: unknown) => void): unknown;
}

/**
 * Tells when a connection broke or a new one was made. A connection that the pool lets go because it was idle is no
 * news, so the pool's `remove` is not listened to: one that is removed because it broke has said so before.
 */
export class ConnectionEvents {
  private readonly listeners = new Set<() => void>();

  constructor(driver: Driver) {
    // `pg` calls it `connect`, `mysql2` `connection`; an idle connection that breaks is an `error` of the pool.
    for (const events of poolsOf(driver)) {
      for (const event of ['connect', 'connection', 'error']) {
        events.on(event, (subject) => {
          if (event !== 'error') this.hearErrorsOf(subject);
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

  /**
   * The pool has stopped listening when it hands a new connection over, and TypeORM listens a moment later: an error
   * in between, as of a session that is killed while it starts, would end the process. The next statement tells it.
   */
  private hearErrorsOf(connection: unknown): void {
    if (!isEventSource(connection)) return;
    connection.on('error', () => {
      this.tell();
    });
  }
}

/** The driver's pool of connections; none where there is a single connection. */
export function poolsOf(driver: Driver): EventSource[] {
  const { master, pool } = driver as Driver & { readonly master?: unknown; readonly pool?: unknown };
  return [master, pool].filter(isEventSource);
}

function isEventSource(candidate: unknown): candidate is EventSource {
  return typeof (candidate as Partial<EventSource> | null | undefined)?.on === 'function';
}
