import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { OpenSockets } from '../domain/open-sockets.js';
import { SECOND_MS } from '../domain/duration.js';
import { poolsOf } from './connection-events.js';

/** Far more than a server takes that responds. */
const LONGEST_DESTROY_MS = 3 * SECOND_MS;

/**
 * Bounds `destroy` of an initialized DataSource of the module's own. A server that does not respond any more leaves
 * half-open sockets: `mysql2` waits for them without limit, and those of `pg` hold the process.
 */
export function boundDestroy(dataSource: DataSource): void {
  const sockets = new OpenSockets();
  for (const pool of poolsOf(dataSource.driver)) {
    pool.on('acquire', (connection) => {
      const socket = socketOf(connection);
      if (socket !== null) sockets.add(socket);
    });
  }
  const destroy = dataSource.destroy.bind(dataSource);
  dataSource.destroy = async () => {
    const limit = new AbortController();
    const isLate = sleep(LONGEST_DESTROY_MS, true, { signal: limit.signal }).catch(() => false);
    const late = await Promise.race([destroy(), isLate]).finally(() => {
      limit.abort();
    });
    if (late === true) sockets.destroy();
    else sockets.unref();
  };
}

/** `pg` keeps the socket in the `connection` of its client. */
function socketOf(connection: unknown): Socket | null {
  const { stream, connection: inner } = connection as { stream?: unknown; connection?: { stream?: unknown } };
  const socket = stream ?? inner?.stream;
  return socket instanceof Socket ? socket : null;
}
