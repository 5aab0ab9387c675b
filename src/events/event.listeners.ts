import { Injectable } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NotionAuthEvent, NotionEventName } from '../domain/notion-event.js';
import { NOTION_EVENTS_OF_METHOD } from './on-notion-auth.decorator.js';

type Listener = (event: NotionAuthEvent) => unknown;

/** What `@nestjs/event-emitter` provides, as far as it is needed. */
interface Emitter {
  emitAsync(name: string, event: NotionAuthEvent): Promise<unknown>;
}

/** The package calls its class `EventEmitter2`, and the class itself `EventEmitter`. */
const EMITTER_NAME = /^EventEmitter2?$/;
const EVENT_PREFIX = 'notion_auth.';

/** Finds who wants to hear of events, once all modules of the application are known. */
@Injectable()
export class EventListeners {
  private readonly scanner = new MetadataScanner();
  private known: ReadonlyMap<NotionEventName, readonly Listener[]> | null = null;
  private emitter: Emitter | null = null;

  constructor(private readonly modules: ModulesContainer) {}

  /** Whether anybody in this process listens at all; else its events are left to others. */
  get areAny(): boolean {
    return this.all().size > 0 || this.emitter !== null;
  }

  /** Runs every listener, also when one before it has failed. @throws what the first that failed threw. */
  async tell(event: NotionAuthEvent): Promise<void> {
    const listeners = this.all().get(event.name) ?? [];
    const results = await Promise.allSettled([
      ...listeners.map((listen) => Promise.resolve().then(() => listen(event))),
      ...(this.emitter === null ? [] : [this.emitter.emitAsync(EVENT_PREFIX + event.name, event)]),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  private all(): ReadonlyMap<NotionEventName, readonly Listener[]> {
    this.known ??= this.find();
    return this.known;
  }

  private find(): ReadonlyMap<NotionEventName, readonly Listener[]> {
    const found = new Map<NotionEventName, Listener[]>();
    for (const instance of this.instances()) {
      for (const [names, listener] of this.listenersOf(instance)) {
        for (const name of names) found.set(name, [...(found.get(name) ?? []), listener]);
      }
    }
    return found;
  }

  /** Every object of the application; where its emitter is among them, that is remembered. */
  private instances(): ReadonlySet<object> {
    const instances = new Set<object>();
    for (const { providers, controllers } of this.modules.values()) {
      for (const wrapper of [...providers.values(), ...controllers.values()]) {
        const instance: unknown = wrapper.isDependencyTreeStatic() ? wrapper.instance : null;
        if (typeof instance !== 'object' || instance === null) continue;
        instances.add(instance);
        if (EMITTER_NAME.test(String(wrapper.name)) && isEmitter(instance)) this.emitter = instance;
      }
    }
    return instances;
  }

  private listenersOf(instance: object): [readonly NotionEventName[], Listener][] {
    const prototype = Object.getPrototypeOf(instance) as Record<string, Listener> | null;
    if (prototype === null || prototype === Object.prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method];
      const names = handler === undefined ? undefined : namesOf(handler);
      return names === undefined || handler === undefined ? [] : [[names, handler.bind(instance)]];
    });
  }
}

function namesOf(handler: Listener): readonly NotionEventName[] | undefined {
  return Reflect.getMetadata(NOTION_EVENTS_OF_METHOD, handler) as readonly NotionEventName[] | undefined;
}

function isEmitter(instance: object): instance is Emitter {
  return 'emitAsync' in instance && typeof instance.emitAsync === 'function';
}
