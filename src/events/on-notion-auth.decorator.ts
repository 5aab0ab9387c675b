import type { NotionAuthEvent, NotionEventName } from '../domain/notion-event.js';

/** Names of the events that a method handles. */
export const NOTION_EVENTS_OF_METHOD = Symbol('NOTION_EVENTS_OF_METHOD');

type EventHandler = (event: NotionAuthEvent) => unknown;

/**
 * On a method of any provider or controller: calls it with each event of these names, of every Notion client in the
 * application (`event.clientId`). An event is delivered by one process that listens to its name, at least once: it
 * comes again, with the same `id`, when a handler throws, has not ended within `events.leaseMs`, or the process dies
 * before it is done, up to `events.maxDeliveries` times.
 *
 * A request-scoped, durable or transient provider is made for each delivery, and injects the event as `REQUEST`. One
 * that a factory makes is found by a class as its token, with the method on that class.
 *
 * @example
 * ```ts
 * @OnNotionAuth('needs_reconnect')
 * async tell({ authorizationId, ownerIds, reason }: NotionAuthEvent) { … }
 * ```
 */
export function OnNotionAuth(...names: readonly [NotionEventName, ...NotionEventName[]]) {
  return <Handler extends EventHandler>(
    _target: object,
    _key: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    if (descriptor.value === undefined) throw new TypeError('@OnNotionAuth() decorates a method.');
    Reflect.defineMetadata(NOTION_EVENTS_OF_METHOD, names, descriptor.value);
  };
}
