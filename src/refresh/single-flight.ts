/**
 * At most one run per key at a time; whoever asks meanwhile shares its result. Nobody's waiting can cancel the run.
 */
export class SingleFlight<Result> {
  private readonly flights = new Map<string, Promise<Result>>();

  /** Runs under way. */
  get size(): number {
    return this.flights.size;
  }

  has(key: string): boolean {
    return this.flights.has(key);
  }

  join(key: string, run: () => Promise<Result>): Promise<Result> {
    const joined = this.flights.get(key);
    if (joined !== undefined) return joined;
    const flight = run().finally(() => {
      this.flights.delete(key);
    });
    this.flights.set(key, flight);
    // Every waiter may have left by the time it fails; those who stayed see the failure through their own promise.
    flight.catch(() => undefined);
    return flight;
  }

  /** Resolves when every run that is under way now has ended, whatever it came to. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.flights.values());
  }
}
