import { setTimeout as sleep } from 'node:timers/promises';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { WebhookQueue } from './webhook.queue.js';

function queueOf(webhooks: Partial<NotionAuthConfig['webhooks']>): WebhookQueue {
  return new WebhookQueue({
    webhooks: { maxConcurrent: 1, maxQueued: 1, drainMs: 1_000, ...webhooks } as NotionAuthConfig['webhooks'],
  });
}

const FULL = { refusal: 'queue_full' };

describe('the queue of webhooks', () => {
  it('gives as many places as may run and wait, and those again that were left or are done', async () => {
    const queue = queueOf({ maxConcurrent: 2, maxQueued: 1 });
    const places = [queue.reserve(), queue.reserve(), queue.reserve()];
    expect(() => queue.reserve()).toThrow(expect.objectContaining(FULL));
    places[0]!.leave();
    queue.reserve().leave();
    let finish: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    places[1]!.use(() => gate);
    places[2]!.use(() => gate);
    const last = queue.reserve();
    expect(() => queue.reserve()).toThrow(expect.objectContaining(FULL));
    last.leave();
    finish();
    await sleep(1);
    expect([queue.reserve(), queue.reserve(), queue.reserve()]).toHaveLength(3);
    expect(() => queue.reserve()).toThrow(expect.objectContaining(FULL));
  });

  it('runs no more at once than it may', async () => {
    const queue = queueOf({ maxConcurrent: 2, maxQueued: 8 });
    let running = 0;
    const seen: number[] = [];
    for (let piece = 0; piece < 6; piece += 1) {
      queue.reserve().use(async () => {
        seen.push((running += 1));
        await sleep(1);
        running -= 1;
      });
    }
    await queue.onModuleDestroy();
    expect(seen).toHaveLength(6);
    expect(Math.max(...seen)).toBe(2);
  });

  it('takes nothing more once the process ends, and waits for what it has, but not for ever', async () => {
    const queue = queueOf({ drainMs: 20 });
    queue.reserve().use(() => new Promise(() => undefined));
    const ended = queue.onModuleDestroy();
    expect(() => queue.reserve()).toThrow(expect.objectContaining(FULL));
    await ended;
  });
});
