import type { NotionAuthEvent, NotionEventName } from '../domain/notion-event.js';

/** Deliveries of one name at the same time. */
const PLACES_PER_NAME = 10;

/**
 * Deliveries under way. Each name has places of its own, so a listener that hangs delays no event of another name.
 * Events of one authorization follow each other in the order in which they were claimed.
 */
export class EventLanes {
  private readonly underWay = new Map<Promise<void>, NotionAuthEvent>();

  /** How many more of each name can be delivered; without the names that have no place left. */
  freePlaces(names: readonly NotionEventName[]): ReadonlyMap<NotionEventName, number> {
    const events = [...this.underWay.values()];
    const free = names.map((name): [NotionEventName, number] => {
      return [name, PLACES_PER_NAME - events.filter((event) => event.name === name).length];
    });
    return new Map(free.filter(([, places]) => places > 0));
  }

  /** @param deliver - never rejects */
  async run(event: NotionAuthEvent, deliver: () => Promise<void>): Promise<void> {
    const delivery = this.lastOf(event.authorizationId).then(deliver);
    this.underWay.set(delivery, event);
    await delivery;
    this.underWay.delete(delivery);
  }

  /** Resolves when what is under way now has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.underWay.keys());
  }

  private lastOf(authorizationId: string | null): Promise<void> {
    const earlier = [...this.underWay].findLast(
      ([, event]) => authorizationId !== null && event.authorizationId === authorizationId,
    );
    return earlier?.[0] ?? Promise.resolve();
  }
}
