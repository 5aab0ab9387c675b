import { resolve } from 'node:path';

/** The application that `ConnectReplica` starts, as built (`npm test` builds it). */
export const CONNECT_PROGRAM = resolve(import.meta.dirname, '../../build/test/support/connect.process.js');
