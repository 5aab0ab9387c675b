import { EventEmitter } from 'node:events';
import { jest } from '@jest/globals';
import type { Driver } from 'typeorm';
import { ConnectionEvents } from './connection-events.js';

function poolOf() {
  const pool = new EventEmitter();
  const listener = jest.fn();
  new ConnectionEvents({ master: pool } as unknown as Driver).listen(listener);
  return { pool, listener };
}

describe('ConnectionEvents', () => {
  it('tells of each new connection and of an idle one that breaks', () => {
    const { pool, listener } = poolOf();
    pool.emit('connect', new EventEmitter());
    pool.emit('error', new Error('broken'));
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it('outlives a connection that breaks while it is handed over, before anybody else listens', () => {
    const { pool, listener } = poolOf();
    const connection = new EventEmitter();
    pool.emit('connect', connection);
    expect(() => connection.emit('error', new Error('terminating connection'))).not.toThrow();
    expect(listener).toHaveBeenCalledTimes(2);
  });
});
