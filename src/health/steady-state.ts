import { SECOND_MS } from '../domain/duration.js';
import { isBad, type RefreshRateState } from './refresh-rate.js';

/** A state must be seen for this long before it is told: one bad moment is no news, and neither is one good one. */
const SETTLED_AFTER_MS = 30 * SECOND_MS;

/** The state that is told, after the states that are seen. */
export class SteadyState {
  private told: RefreshRateState = 'insufficient_data';
  private coming: { readonly state: RefreshRateState; readonly sinceMs: number } | null = null;

  constructor(private readonly settledAfterMs = SETTLED_AFTER_MS) {}

  get current(): RefreshRateState {
    return this.told;
  }

  /** @param nowMs - Monotonic. */
  see(state: RefreshRateState, nowMs: number): RefreshRateState {
    if (state === this.told) {
      this.coming = null;
    } else if (!isBad(state) && !isBad(this.told)) {
      // Neither alarms anybody.
      this.tell(state);
    } else {
      this.wait(state, nowMs);
    }
    return this.told;
  }

  private wait(state: RefreshRateState, nowMs: number): void {
    if (this.coming?.state !== state) this.coming = { state, sinceMs: nowMs };
    else if (nowMs - this.coming.sinceMs >= this.settledAfterMs) this.tell(state);
  }

  private tell(state: RefreshRateState): void {
    this.told = state;
    this.coming = null;
  }
}
