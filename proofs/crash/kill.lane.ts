import { setTimeout as sleep } from 'node:timers/promises';
import type { Proof } from '../harness/proof.js';
import type { Replica } from '../harness/replica.js';
import type { Grant, Stage } from '../harness/stage.js';
import type { Step } from '../harness/steps.js';
import type { StoredRows } from '../harness/stored.rows.js';
import { journaledVersions } from './journal.audit.js';
import type { Fate, KillLog, KillPlace } from './kill.log.js';

/** So many authorizations are refreshed at once when the moment of the kill is left to chance. */
const AT_RANDOM_IN_FLIGHT = 3;
const LATEST_RANDOM_KILL_MS = 120;
/** A bystander may be just storing a pair when the row is looked at. */
const LOOKS = 4;
const LOOK_AGAIN_MS = 300;

export interface LaneParts {
  readonly proof: Proof;
  readonly stage: Stage;
  readonly rows: StoredRows;
  readonly log: KillLog;
  /** Asks for the same authorizations while their process is dead, as another replica of the application would. */
  readonly bystander: Replica;
  readonly journalFolder: string | null;
}

/** One replica that is killed and restarted again and again, with authorizations of its own. */
export class KillLane {
  private readonly parked = new Set<string>();

  private constructor(
    private readonly parts: LaneParts,
    private readonly grants: Grant[],
    private replica: Replica,
  ) {}

  static async open(parts: LaneParts, grants: readonly Grant[]): Promise<KillLane> {
    const { stage, journalFolder } = parts;
    const options = stage.replicaOptions({ journalFolder });
    return new KillLane(parts, [...grants], await stage.startReplica({ watched: true }, options));
  }

  /** Kills as often as the plan says, one after another. */
  async work(plan: readonly KillPlace[]): Promise<void> {
    for (const place of plan) await this.killOnce(place);
  }

  close(): Promise<void> {
    return this.replica.kill();
  }

  private async killOnce(place: KillPlace): Promise<void> {
    const { stage, log, bystander, journalFolder } = this.parts;
    const hit = place === 'random' ? await this.killAtRandom() : await this.killAt(place);
    const diedMs = performance.now();
    const journaled = journaledVersions(journalFolder);
    const others = Promise.allSettled(hit.map(({ id }) => bystander.refresh(id)));
    this.replica = await stage.restart(this.replica);
    const restartMs = performance.now() - diedMs;
    await others;
    const fates = await this.fatesOf(hit, journaled);
    log.add({ place, hasJournal: journalFolder !== null, fates, restartMs });
    for (const [id, fate] of fates) if (fate !== 'kept') this.parked.add(id);
  }

  /** Refreshes until the step is reached: an authorization may be postponed, and then nothing is killed. */
  private async killAt(step: Step): Promise<readonly Grant[]> {
    await this.replica.arm({ step, delayMs: this.parts.proof.random.whole(1, 8) });
    for (;;) {
      const chosen = this.next(1);
      for (const { id } of chosen) await this.replica.refresh(id).catch(() => undefined);
      if (!this.replica.isAlive) return chosen;
    }
  }

  private async killAtRandom(): Promise<readonly Grant[]> {
    const chosen = this.next(AT_RANDOM_IN_FLIGHT);
    const ids = chosen.map(({ id }) => id);
    const afterMs = this.parts.proof.random.next() * LATEST_RANDOM_KILL_MS;
    const killed = sleep(afterMs).then(() => this.replica.kill());
    while (this.replica.isAlive) await this.replica.refreshAll(ids).catch(() => undefined);
    await killed;
    return chosen;
  }

  private async fatesOf(
    hit: readonly Grant[],
    journaled: ReadonlyMap<string, number>,
  ): Promise<ReadonlyMap<string, Fate>> {
    const fates = new Map<string, Fate>();
    for (const { id } of hit) fates.set(id, await this.fateOf(id, journaled.get(id) ?? 0));
    return fates;
  }

  private async fateOf(id: string, journaled: number): Promise<Fate> {
    const { rows, stage } = this.parts;
    for (let look = 1; ; look++) {
      const row = await rows.find(id);
      if (row.refreshToken !== null && (await stage.notion.ledger.isLive(row.refreshToken))) return 'kept';
      if (look === LOOKS) return journaled > row.version ? 'durable_and_lost' : 'in_window';
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** In turn, so that what a kill left behind has been resolved, or is met again. */
  private next(count: number): readonly Grant[] {
    const chosen: Grant[] = [];
    while (chosen.length < count) {
      const grant = this.grants.shift();
      if (grant === undefined) throw new Error('The lane has no authorization left that is alive.');
      if (this.parked.has(grant.id)) continue;
      chosen.push(grant);
    }
    this.grants.push(...chosen);
    return chosen;
  }
}
