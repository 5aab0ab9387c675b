import { setTimeout as sleep } from 'node:timers/promises';
import { NotionAuthError } from 'nestjs-notion-auth';
import type { LoadPlan, LoadReport } from './replica.messages.js';
import { SeededRandom } from './seeded.random.js';

/** What one piece of work came to: an outcome kind, or `ok`. */
export type Work = (authorizationId: string) => Promise<string>;

/** Keeps a number of workers busy with randomly chosen authorizations until it is stopped. */
export class ReplicaLoad {
  private readonly outcomes: Record<string, number> = {};
  private readonly random: SeededRandom;
  private readonly workers: Promise<void>[];
  private untyped = 0;
  private slowestMs = 0;
  private goesOn = true;

  constructor(
    private readonly plan: LoadPlan,
    private readonly work: Work,
  ) {
    this.random = new SeededRandom(plan.seed);
    this.workers = Array.from({ length: plan.parallel }, () => this.keepWorking());
  }

  async stop(): Promise<LoadReport> {
    this.goesOn = false;
    await Promise.all(this.workers);
    return this.report();
  }

  report(): LoadReport {
    const done = Object.values(this.outcomes).reduce((sum, count) => sum + count, 0);
    return { done, outcomes: { ...this.outcomes }, untyped: this.untyped, slowestMs: this.slowestMs };
  }

  private async keepWorking(): Promise<void> {
    while (this.goesOn) {
      await this.workOnce(this.random.one(this.plan.authorizationIds));
      // Also without a pause the event loop must come round: some work is answered from memory.
      await sleep(this.plan.pauseMs ?? 0);
    }
  }

  private async workOnce(authorizationId: string): Promise<void> {
    const startedMs = performance.now();
    const outcome = await this.work(authorizationId).catch((error: unknown) => {
      if (!(error instanceof NotionAuthError)) this.untyped += 1;
      return `error:${codeOf(error)}`;
    });
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
  }
}

export function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}
