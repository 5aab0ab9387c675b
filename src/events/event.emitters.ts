import type { ModulesContainer } from '@nestjs/core';
import type { NotionAuthEvent, NotionEventName } from '../domain/notion-event.js';

/** An event emitter of the application, as far as events of this library go through it. */
export interface Emitter {
  hasListeners(name: NotionEventName): boolean;
  emit(event: NotionAuthEvent): Promise<unknown>;
}

/** What `@nestjs/event-emitter` provides, as far as it is needed. */
interface EventEmitter2 {
  emitAsync(name: string, event: NotionAuthEvent): Promise<unknown>;
  listeners(name: string): readonly unknown[];
  listenersAny(): readonly unknown[];
}

/** The package calls its class `EventEmitter2`, and the class itself `EventEmitter`. */
const EMITTER_NAME = /^EventEmitter2?$/;
const EVENT_PREFIX = 'notion_auth.';

export function findEmitters(modules: ModulesContainer): readonly Emitter[] {
  const wrappers = [...modules.values()].flatMap(({ providers }) => [...providers.values()]);
  const instances = wrappers
    .filter(({ name }) => EMITTER_NAME.test(String(name)))
    .map(({ instance }): unknown => instance)
    .filter(isEventEmitter2);
  return [...new Set(instances)].map((emitter) => ({
    // With wildcards, those of `notion_auth.*` are among them.
    hasListeners: (name) =>
      emitter.listeners(EVENT_PREFIX + name).length > 0 || emitter.listenersAny().length > 0,
    emit: (event) => emitter.emitAsync(EVENT_PREFIX + event.name, event),
  }));
}

function isEventEmitter2(instance: unknown): instance is EventEmitter2 {
  const methods = ['emitAsync', 'listeners', 'listenersAny'] as const;
  return (
    typeof instance === 'object' &&
    instance !== null &&
    methods.every((method) => typeof (instance as Partial<EventEmitter2>)[method] === 'function')
  );
}
