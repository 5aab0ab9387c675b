import type { AuthorizationStatus, ReconnectReason } from './authorization.js';
import type { RefreshGate } from './refresh-gate.js';
import type { AttemptOutcome } from './refresh-outcome.js';

/** Attempts that ended alike, in the same slice of time. */
export interface AttemptCount {
  /** How long ago, in milliseconds: whole slices. */
  readonly ageMs: number;
  readonly outcome: AttemptOutcome;
  readonly total: number;
}

/** What the processes share, at one instant. */
export interface FleetReading {
  readonly attempts: readonly AttemptCount[];
  /** Gates that hold refreshes back, those included that wait for their probe. */
  readonly closedGates: readonly RefreshGate[];
  /** Key ids that stored secrets need and this process cannot open; perhaps not all of them, where they are many. */
  readonly missingKeyIds: readonly string[];
}

/** Authorizations that stand alike. */
export interface AuthorizationCount {
  readonly status: AuthorizationStatus;
  readonly reason: ReconnectReason | null;
  readonly total: number;
}

/** What health knows of all processes together. */
export abstract class FleetReadings {
  /**
   * One statement, whatever is stored; costs what happened in the window.
   * @param windowMs - Attempts that ended within it, by the database's clock.
   * @param sliceMs - They are counted by whole slices of age, so that one reading serves shorter windows, too.
   */
  abstract read(windowMs: number, sliceMs: number): Promise<FleetReading>;

  /** Gates that hold refreshes back. */
  abstract closedGates(): Promise<readonly RefreshGate[]>;

  /** Reads an index from end to end: not for every request. */
  abstract countAuthorizations(): Promise<readonly AuthorizationCount[]>;
}
