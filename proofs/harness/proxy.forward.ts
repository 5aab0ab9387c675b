import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { feltBy, type Direction, type Toxics } from './toxics.js';

/** Carries bytes from one socket to the other, as well or as badly as the toxics of the moment allow. */
export function forward(from: Socket, to: Socket, direction: Direction, current: () => Toxics): void {
  void carryAll(from, to, () => feltBy(direction, current())).catch(() => {
    from.destroy();
    to.destroy();
  });
}

async function carryAll(from: Socket, to: Socket, toxics: () => Toxics): Promise<void> {
  let carried = 0;
  // Leaving the loop must not end the connection: a swallowed one stays open.
  for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const { resetAfterMs, limitBytes } = toxics();
    if (resetAfterMs !== null) return reset(from, to, resetAfterMs);
    if (toxics().timeoutMs !== null) return swallow(from, to, toxics);
    const allowed = limitBytes === null ? chunk.length : Math.max(0, limitBytes - carried);
    await carry(chunk.subarray(0, allowed), to, toxics());
    carried += chunk.length;
    if (allowed < chunk.length) {
      to.end();
      from.destroy();
      return;
    }
  }
  if (toxics().slowCloseMs > 0) await sleep(toxics().slowCloseMs);
  to.end();
}

async function carry(bytes: Buffer, to: Socket, toxics: Toxics): Promise<void> {
  const delayMs = toxics.latencyMs + Math.random() * toxics.jitterMs;
  if (delayMs > 0) await sleep(delayMs);
  const size = toxics.sliceBytes > 0 ? toxics.sliceBytes : Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    if (toxics.bytesPerSecond > 0) await sleep((piece.length / toxics.bytesPerSecond) * 1_000);
    if (at > 0 && toxics.sliceDelayMs > 0) await sleep(toxics.sliceDelayMs);
    if (!to.write(piece)) await drained(to);
  }
}

/** A socket that ends while it is full never drains. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

async function reset(from: Socket, to: Socket, afterMs: number): Promise<void> {
  await sleep(afterMs);
  from.resetAndDestroy();
  to.resetAndDestroy();
}

/** The peer goes on sending and hears nothing. */
async function swallow(from: Socket, to: Socket, toxics: () => Toxics): Promise<void> {
  const { timeoutMs } = toxics();
  from.resume();
  if (typeof timeoutMs !== 'number') return;
  await sleep(timeoutMs);
  from.destroy();
  to.destroy();
}
