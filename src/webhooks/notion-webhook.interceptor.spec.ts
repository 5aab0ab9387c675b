import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastValueFrom, of } from 'rxjs';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionStoreUnavailableError } from '../domain/errors.js';
import type { WebhookAudience } from '../domain/webhook-audience.js';
import { NotionWebhookInterceptor } from './notion-webhook.interceptor.js';
import type { NotionWebhookEvent } from './webhook-event.js';
import { keepMessage } from './webhook.delivery.js';
import type { WebhookLog } from './webhook.log.js';
import { WebhookQueue } from './webhook.queue.js';

const EVENT = { id: 'e-1', workspaceId: 'w-1', botIds: ['b-1'] } as unknown as NotionWebhookEvent;

function interceptorOf(remember: () => Promise<boolean>) {
  const config = {
    webhooks: { maxConcurrent: 1, maxQueued: 1, drainMs: 1_000 },
  } as unknown as NotionAuthConfig;
  const told: string[] = [];
  const log = {
    repeated: () => told.push('repeated'),
    refused: (refusal: string, status: number) => told.push(`${refusal} ${status}`),
    failed: (_: unknown, error: Error) => told.push(`failed ${error.message}`),
  } as unknown as WebhookLog;
  const audience = { linkedTo: () => Promise.resolve([]) } as unknown as WebhookAudience;
  const queue = new WebhookQueue(config);
  const interceptor = new NotionWebhookInterceptor(
    config,
    { remember, prune: () => Promise.resolve(false) },
    audience,
    queue,
    log,
  );
  return { interceptor, told, queue };
}

function deliver(interceptor: NotionWebhookInterceptor, handler: CallHandler, message = true) {
  const request = {};
  if (message) keepMessage(request, { kind: 'event', event: EVENT });
  const context = {
    getType: () => 'http',
    switchToHttp: () => ({ getRequest: () => request }),
  } as unknown as ExecutionContext;
  return interceptor.intercept(context, handler).then((answered) => lastValueFrom(answered));
}

describe('a verified delivery', () => {
  let handled = 0;
  const handler: CallHandler = { handle: () => of((handled += 1)) };

  beforeEach(() => {
    handled = 0;
  });

  it('that comes again is not handled, and takes up no place', async () => {
    const { interceptor, told } = interceptorOf(() => Promise.resolve(false));
    for (let time = 0; time < 5; time += 1) expect(await deliver(interceptor, handler)).toBeUndefined();
    expect(told).toEqual(Array(5).fill('repeated'));
    expect(handled).toBe(0);
  });

  it('that the store does not take is a 503, and takes up no place', async () => {
    const { interceptor, told } = interceptorOf(() => Promise.reject(new NotionStoreUnavailableError()));
    for (let time = 0; time < 5; time += 1) {
      await expect(deliver(interceptor, handler)).rejects.toMatchObject({
        status: 503,
        message: 'Try again later.',
        cause: expect.any(NotionStoreUnavailableError),
      });
    }
    expect([told, handled]).toEqual([[], 0]);
  });

  it('that is new is answered first and handled then, also by a handler that says nothing', async () => {
    const { interceptor, told, queue } = interceptorOf(() => Promise.resolve(true));
    expect(await deliver(interceptor, handler)).toBeUndefined();
    expect(await deliver(interceptor, { handle: () => of() })).toBeUndefined();
    await sleep(5);
    expect([told, handled]).toEqual([[], 1]);
    await queue.onModuleDestroy();
    await expect(deliver(interceptor, handler)).rejects.toMatchObject({
      status: 503,
      response: { statusCode: 503, code: 'notion_webhook_refused' },
    });
    expect(told).toEqual(['queue_full 503']);
  });

  it('that fails for another reason fails with that', async () => {
    const { interceptor, told } = interceptorOf(() => Promise.reject(new RangeError('of somebody else')));
    await expect(deliver(interceptor, handler)).rejects.toThrow(new RangeError('of somebody else'));
    expect(told).toEqual([]);
  });

  it('is one only behind the guard', async () => {
    const { interceptor } = interceptorOf(() => Promise.resolve(true));
    await expect(deliver(interceptor, handler, false)).rejects.toThrow('needs NotionWebhookGuard before it');
  });
});
