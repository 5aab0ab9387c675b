import { Injectable } from '@nestjs/common';
import { ContextIdFactory, ModuleRef, ModulesContainer } from '@nestjs/core';
import { findDecoratedMethods, isMadeOnce, type DecoratedMethod } from '../config/decorated-methods.js';
import { NOTION_EVENT_NAMES, type NotionAuthEvent, type NotionEventName } from '../domain/notion-event.js';
import { findEmitters, type Emitter } from './event.emitters.js';
import { NOTION_EVENTS_OF_METHOD } from './on-notion-auth.decorator.js';

type Listener = (event: NotionAuthEvent) => unknown;

interface Found {
  readonly listeners: ReadonlyMap<NotionEventName, readonly Listener[]>;
  readonly emitters: readonly Emitter[];
}

/** The listeners of this process: decorated methods, and those of the application's own event emitters. */
@Injectable()
export class EventListeners {
  private found: Found | null = null;

  constructor(private readonly modules: ModulesContainer) {}

  /** The names that have a listener now. An application adds listeners to its emitter at any time. */
  names(): readonly NotionEventName[] {
    return NOTION_EVENT_NAMES.filter((name) => this.listenersOf(name).length > 0);
  }

  /**
   * Runs every listener, also when one before it has failed.
   * @returns whether there was any.
   * @throws what the first that failed threw.
   */
  async tell(event: NotionAuthEvent): Promise<boolean> {
    const listeners = this.listenersOf(event.name);
    // Called at once: an emitter's listener that was there a moment ago may be gone when another event has been told.
    const results = await Promise.allSettled(listeners.map(async (listen) => await listen(event)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return listeners.length > 0;
  }

  private listenersOf(name: NotionEventName): readonly Listener[] {
    this.found ??= { listeners: this.findListeners(), emitters: findEmitters(this.modules) };
    const { listeners, emitters } = this.found;
    return [
      ...(listeners.get(name) ?? []),
      ...emitters
        .filter((emitter) => emitter.hasListeners(name))
        .map((emitter) => (event: NotionAuthEvent) => emitter.emit(event)),
    ];
  }

  /** Once all modules of the application are known. */
  private findListeners(): ReadonlyMap<NotionEventName, readonly Listener[]> {
    const found = new Map<NotionEventName, Listener[]>();
    for (const decorated of findDecoratedMethods(this.modules, NOTION_EVENTS_OF_METHOD)) {
      for (const name of decorated.metadata as readonly NotionEventName[]) {
        found.set(name, [...(found.get(name) ?? []), listenerOf(decorated)]);
      }
    }
    return found;
  }
}

function listenerOf({ wrapper, method }: DecoratedMethod): Listener {
  const listen = method as Listener;
  if (isMadeOnce(wrapper)) return (event) => listen.call(wrapper.instance, event);
  return async (event) => listen.call(await instanceFor(event, wrapper), event);
}

/** For a provider of another scope: made for this delivery, in its own module, and `REQUEST` is the event. */
async function instanceFor(event: NotionAuthEvent, wrapper: DecoratedMethod['wrapper']): Promise<unknown> {
  const moduleRef = wrapper.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
  const contextId = ContextIdFactory.create();
  moduleRef.registerRequestByContextId(event, contextId);
  return moduleRef.resolve<unknown>(wrapper.token, contextId, { strict: true });
}
