import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  NotionAuthExceptionFilter,
  NotionAuthorization,
  NotionCallback,
  NotionCallbackGuard,
  NotionConfigError,
  NotionConnectFilter,
  NotionDelivery,
  NotionReconnectRequiredError,
  NotionSdk,
  NotionTokenInterceptor,
  NotionWebhook,
  NotionWebhookGuard,
} from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { isObservable, lastValueFrom } from 'rxjs';
import { NotionWebhookInterceptor } from '../../src/webhooks/notion-webhook.interceptor.js';
import { OutboundApp } from '../support/outbound.app.js';

/** Handlers of something else than HTTP requests, each with one part of this library. */
@Injectable()
class Handlers {
  @UseInterceptors(NotionTokenInterceptor)
  interceptor(): string {
    return 'reached';
  }

  @UseGuards(NotionCallbackGuard)
  callbackGuard(): string {
    return 'reached';
  }

  @UseGuards(NotionWebhookGuard)
  webhookGuard(): string {
    return 'reached';
  }

  @NotionWebhook()
  webhook(): string {
    return 'reached';
  }

  @UseInterceptors(NotionWebhookInterceptor)
  webhookInterceptor(): string {
    return 'reached';
  }

  authorization(@NotionAuthorization() given: unknown): string {
    return typeof given;
  }

  sdk(@NotionSdk() given: unknown): string {
    return typeof given;
  }

  callback(@NotionCallback() given: unknown): string {
    return typeof given;
  }

  delivery(@NotionDelivery() given: unknown): string {
    return typeof given;
  }

  @UseInterceptors(NotionTokenInterceptor)
  @UseFilters(NotionAuthExceptionFilter)
  filtered(): string {
    return 'reached';
  }

  @UseGuards(NotionCallbackGuard)
  @UseFilters(NotionConnectFilter)
  filteredConnect(): string {
    return 'reached';
  }
}

const TYPES = ['rpc', 'ws', 'graphql', 'my-queue'];
const UNFILTERED = [
  ['interceptor', 'NotionTokenInterceptor'],
  ['callbackGuard', 'NotionCallbackGuard'],
  ['webhookGuard', 'NotionWebhookGuard'],
  ['webhook', 'NotionWebhookGuard'],
  ['webhookInterceptor', 'NotionWebhookInterceptor'],
  ['authorization', '@NotionAuthorization()'],
  ['sdk', '@NotionSdk()'],
  ['callback', '@NotionCallback()'],
  ['delivery', '@NotionDelivery()'],
] as const;

describe('a handler of anything but HTTP requests', () => {
  let simulator: NotionSimulator;
  let app: OutboundApp;
  let ownersAsked: number;

  beforeEach(async () => {
    ownersAsked = 0;
    simulator = await NotionSimulator.start();
    app = await OutboundApp.start({
      simulator,
      providers: [Handlers],
      resolveOwner: ({ headers }) => {
        ownersAsked += 1;
        return headers['x-user'];
      },
    });
  });

  afterEach(async () => {
    await app.close();
    await simulator.close();
  });

  /** Calls a handler as a transport of Nest does, with its guards, interceptors, decorators and filters. */
  function call(name: keyof Handlers, type: string, args: readonly unknown[]): Promise<unknown> {
    const handlers = app.nest.get(Handlers);
    const handler = app.nest
      .get(ExternalContextCreator)
      .create(
        handlers,
        handlers[name],
        name,
        ROUTE_ARGS_METADATA,
        { exchangeKeyForValue: () => undefined },
        undefined,
        undefined,
        { guards: true, interceptors: true, filters: true },
        type,
      ) as (...given: readonly unknown[]) => Promise<unknown>;
    return handler(...args);
  }

  /** A payload that tells what was read of it, and would act as `ada` were it taken for a request. */
  function payloadOf(authorizationId: string): { payload: object; read: string[] } {
    const read: string[] = [];
    const fields = { headers: { 'x-user': 'ada' }, params: { authorizationId }, url: '/notion/callback' };
    const payload = new Proxy(fields, {
      get(target, key, receiver) {
        read.push(String(key));
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    return { payload, read };
  }

  describe.each(TYPES)('of the type %s', (type) => {
    it.each(UNFILTERED)('%s is not reached, and nothing is read of what came', async (name, part) => {
      const { payload, read } = payloadOf((await app.connect('ada')).id);
      const failure: unknown = await call(name, type, [payload, {}]).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(NotionConfigError);
      const { message } = failure as NotionConfigError;
      expect(message).toContain(`${part} on Handlers.${name} needs an HTTP request`);
      expect(message).toContain(`"${type}"`);
      expect(message).toContain('NotionClientFactory');
      expect([read, ownersAsked, simulator.ledger.requests()]).toEqual([[], 0, []]);
    });
  });

  it.each(['filtered', 'filteredConnect'] as const)(
    'of messages: %s returns the error to its caller, as Nest sends one',
    async (name) => {
      const returned = await call(name, 'rpc', [{}, {}]);
      if (!isObservable(returned)) throw new Error('Nest hands only an observable on to the caller.');
      await expect(lastValueFrom(returned)).rejects.toEqual({
        status: 'error',
        code: 'notion_config_invalid',
        message: expect.stringContaining(`Handlers.${name}`),
      });
    },
  );

  it.each(['filtered', 'filteredConnect'] as const)(
    'of sockets: %s emits the error, and nothing is left to throw',
    async (name) => {
      const client = new EventEmitter();
      const emitted = once(client, 'exception');
      await call(name, 'ws', [client, {}]).catch(passAsNestDoes);
      expect(await emitted).toEqual([
        { status: 'error', code: 'notion_config_invalid', message: expect.stringContaining(name) },
      ]);
    },
  );

  it('sends the error over a bare WebSocket, whose `emit` would stay in this process', () => {
    const sent: string[] = [];
    const client = Object.assign(new EventEmitter(), {
      readyState: 1,
      send: (text: string) => sent.push(text),
    });
    const host = new ExecutionContextHost([client, {}]);
    host.setType('ws');
    const error = new NotionReconnectRequiredError('an-id', 'revoked_or_expired');
    expect(app.nest.get(NotionAuthExceptionFilter, { strict: false }).catch(error, host)).toBeUndefined();
    expect(sent.map((text): unknown => JSON.parse(text))).toEqual([
      { event: 'exception', data: { status: 'error', code: error.code, message: error.message } },
    ]);
  });

  it.each(['graphql', 'my-queue'])(
    'of the type %s: the filter leaves the error to its caller',
    async (type) => {
      await expect(call('filtered', type, [{}, {}])).rejects.toThrow(NotionConfigError);
    },
  );
});

/** The context of this test throws on what the filter returns nothing for; that of sockets is content. */
function passAsNestDoes(error: unknown): void {
  expect(error).toBeInstanceOf(NotionConfigError);
}
