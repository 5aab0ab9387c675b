import { stat } from 'node:fs';
import type { StallPhase } from './replica.messages.js';

/** Blocks the event loop, from within a timer or from within the callback of an I/O operation. */
export function stall(phase: StallPhase, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const block = () => {
      const untilMs = performance.now() + ms;
      while (performance.now() < untilMs);
      resolve();
    };
    if (phase === 'timer') setTimeout(block, 0);
    else stat('.', block);
  });
}
