import type { Step } from '../harness/steps.js';

export type KillPlace = Step | 'random';

/**
 * What a SIGKILL did to one authorization that its process was refreshing, found out when the process had restarted.
 *
 * - `kept`: the stored refresh token is alive.
 * - `in_window`: Notion had rotated, and the successor was nowhere durable when the process died.
 * - `durable_and_lost`: the successor stood in the journal, and the row does not have it. Must never be.
 */
export type Fate = 'kept' | 'in_window' | 'durable_and_lost';

export interface Kill {
  readonly place: KillPlace;
  readonly hasJournal: boolean;
  readonly fates: ReadonlyMap<string, Fate>;
  /** From the death of the process until its successor serves, in milliseconds. */
  readonly restartMs: number;
}

/** Every kill of a proof, and what it came to. */
export class KillLog {
  private readonly kills: Kill[] = [];

  add(kill: Kill): void {
    this.kills.push(kill);
  }

  get count(): number {
    return this.kills.length;
  }

  get restartsMs(): readonly number[] {
    return this.kills.map(({ restartMs }) => restartMs);
  }

  at(place: KillPlace, hasJournal: boolean): readonly Kill[] {
    return this.kills.filter((kill) => kill.place === place && kill.hasJournal === hasJournal);
  }

  /** Authorizations with that fate, by id. */
  withFate(wanted: Fate, kills: readonly Kill[] = this.kills): ReadonlySet<string> {
    const ids = kills.flatMap(({ fates }) => [...fates].filter(([, fate]) => fate === wanted));
    return new Set(ids.map(([id]) => id));
  }
}
