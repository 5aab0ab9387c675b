import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import type { AttemptCount } from '../domain/fleet-readings.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';

/** A little more than the window of the refresh rate. */
const MINUTES_KEPT = 16;

interface Minute {
  readonly number: number;
  readonly totals: Map<AttemptOutcome, number>;
}

/** How this process's own attempts ended of late: what health falls back on while the database does not answer. */
@Injectable()
export class OwnAttempts {
  private readonly ring: (Minute | undefined)[] = new Array<undefined>(MINUTES_KEPT).fill(undefined);

  private readonly minuteMs: number;

  constructor(
    private readonly clock: Clock,
    @Inject(NOTION_AUTH_CONFIG) { health }: Pick<NotionAuthConfig, 'health'>,
  ) {
    this.minuteMs = health.minuteMs;
  }

  note(outcome: AttemptOutcome): void {
    const { totals } = this.currentMinute();
    totals.set(outcome, (totals.get(outcome) ?? 0) + 1);
  }

  list(): readonly AttemptCount[] {
    const now = this.minuteNumber();
    return this.ring.flatMap((minute) => {
      const minutesAgo = now - (minute?.number ?? Number.NEGATIVE_INFINITY);
      if (minute === undefined || minutesAgo >= MINUTES_KEPT) return [];
      const ageMs = minutesAgo * this.minuteMs;
      return [...minute.totals].map(([outcome, total]) => ({ ageMs, outcome, total }));
    });
  }

  private currentMinute(): Minute {
    const number = this.minuteNumber();
    const slot = number % MINUTES_KEPT;
    const kept = this.ring[slot];
    if (kept?.number === number) return kept;
    const begun = { number, totals: new Map<AttemptOutcome, number>() };
    this.ring[slot] = begun;
    return begun;
  }

  private minuteNumber(): number {
    return Math.floor(this.clock.monotonicMs() / this.minuteMs);
  }
}
