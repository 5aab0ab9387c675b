/** How long and how many deliveries are remembered. */
export interface DeliveryBounds {
  readonly rememberMs: number;
  readonly maxEvents: number;
}

/** Which webhook events have come, over all replicas, so that each is handled once. */
export abstract class WebhookDeliveries {
  /** @returns whether the event comes for the first time. */
  abstract remember(eventId: string, bounds: DeliveryBounds): Promise<boolean>;

  /** Removes one batch of events that are older, or more, than the bounds allow. @returns whether there may be more. */
  abstract prune(bounds: DeliveryBounds): Promise<boolean>;
}
