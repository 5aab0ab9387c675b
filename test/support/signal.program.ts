import { resolve } from 'node:path';

/** The application that `SignalHost` starts, as built (`npm test` builds it). */
export const SIGNAL_PROGRAM = resolve(
  import.meta.dirname,
  '../../build/proofs/signals/signal.host.process.js',
);
