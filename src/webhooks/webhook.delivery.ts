import type { ExecutionContext } from '@nestjs/common';
import { createHandlerParameter } from '../config/handler-parameter.js';
import { requestOf } from '../config/http-context.js';
import type { LinkedAuthorization } from '../domain/webhook-audience.js';
import type { NotionWebhookEvent } from './webhook-event.js';
import type { VerifiedMessage } from './webhook.verifier.js';

/** An event, and whom of the application it is for. */
export interface NotionWebhookDelivery {
  readonly event: NotionWebhookEvent;
  /**
   * The authorizations whose bots may see what it happened to, with their owners. Nobody else may learn of it. Empty
   * when none of them is connected here any more, and for events of an internal connection.
   */
  readonly authorizations: readonly LinkedAuthorization[];
}

const messages = new WeakMap<object, VerifiedMessage>();
const deliveries = new WeakMap<object, NotionWebhookDelivery>();

export function keepMessage(request: object, message: VerifiedMessage): void {
  messages.set(request, message);
}

export function messageOf(request: object): VerifiedMessage | undefined {
  return messages.get(request);
}

export function keepDelivery(request: object, delivery: NotionWebhookDelivery): void {
  deliveries.set(request, delivery);
}

/** Parameter decorator: the {@link NotionWebhookDelivery} of a route with `@NotionWebhook()`. */
export const NotionDelivery = createHandlerParameter(
  (_data: unknown, context: ExecutionContext): NotionWebhookDelivery => {
    const delivery = deliveries.get(requestOf(context, '@NotionDelivery()'));
    if (delivery === undefined)
      throw new Error('@NotionDelivery() needs @NotionWebhook() on the same route.');
    return delivery;
  },
);
