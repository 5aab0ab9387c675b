import { Inject } from '@nestjs/common';
import { Cron, Interval, SchedulerRegistry } from '@nestjs/schedule';
import { MINUTE_MS } from '../domain/duration.js';
import { NotionRefreshSweep, type SweepOptions } from '../refresh/refresh.sweep.js';
import type { SweepReport } from '../refresh/sweep-report.js';
import { SCHEDULER_OF_METHOD } from './schedule-metadata.js';

/** When to sweep: a cron expression or an interval in milliseconds. */
export type NotionRefreshScheduleOptions = Omit<SweepOptions, 'onProgress'> &
  ({ readonly cron: string } | { readonly everyMs: number });

type ReportHandler = (report: SweepReport) => unknown;

interface Sweeping {
  [SWEEP]: NotionRefreshSweep;
}

const SWEEP = Symbol('NOTION_REFRESH_SWEEP');
/** Replicas that started together, or share a cron expression, do not sweep in step. */
const LONGEST_PHASE_MS = MINUTE_MS;

/**
 * On a provider's method: sweeps on this schedule and calls the method with each sweep's report, after every batch
 * (`done: false`) and at the end (`done: true`). A sweep that outlasts its interval is not joined by another. The
 * application imports `ScheduleModule.forRoot()`; with several replicas each sweeps, and the claims keep them from
 * refreshing the same authorization twice. The provider has the default scope, and so has what it injects: the
 * scheduler calls no other, so the application does not start ({@link NotionConfigError}).
 *
 * @example
 * ```ts
 * @NotionRefreshSchedule({ cron: '0 3 * * *', maxTokenAgeMs: 30 * 24 * 3_600_000, ratePerSecond: 2 })
 * onSweep(report: SweepReport) {
 *   if (report.done) this.logger.log(report);
 * }
 * ```
 */
export function NotionRefreshSchedule(options: NotionRefreshScheduleOptions) {
  return <Handler extends ReportHandler>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    const handler = descriptor.value;
    if (handler === undefined) throw new TypeError('@NotionRefreshSchedule() decorates a method.');
    // The scheduler calls a method without arguments, so what it calls is a method that sweeps first.
    Inject(NotionRefreshSweep)(target, SWEEP);
    // By instance: the schedules of one class do not keep each other from sweeping.
    const running = new WeakMap<Sweeping, Promise<void>>();
    const sweepAndReport = function (this: Sweeping): Promise<void> {
      const sweeping = running.get(this) ?? sweep(this, options, handler).finally(() => running.delete(this));
      running.set(this, sweeping);
      return sweeping;
    };
    Reflect.defineMetadata(SCHEDULER_OF_METHOD, SchedulerRegistry, sweepAndReport);
    descriptor.value = sweepAndReport as unknown as Handler;
    const schedule = 'cron' in options ? Cron(options.cron) : Interval(options.everyMs);
    schedule(target, key, descriptor);
  };
}

async function sweep(
  self: Sweeping,
  options: NotionRefreshScheduleOptions,
  handler: ReportHandler,
): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longestPhaseMs(options)).unref());
  await self[SWEEP].run({ ...options, onProgress: (report) => handler.call(self, report) });
}

function longestPhaseMs(options: NotionRefreshScheduleOptions): number {
  return 'cron' in options ? LONGEST_PHASE_MS : Math.min(LONGEST_PHASE_MS, options.everyMs / 2);
}
