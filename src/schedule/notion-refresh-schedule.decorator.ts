import { Inject } from '@nestjs/common';
import { Cron, Interval } from '@nestjs/schedule';
import { NotionRefreshSweep, type SweepOptions, type SweepReport } from '../refresh/refresh.sweep.js';

/** When to sweep: a cron expression or an interval in milliseconds. */
export type NotionRefreshScheduleOptions = SweepOptions &
  ({ readonly cron: string } | { readonly everyMs: number });

type ReportHandler = (report: SweepReport) => unknown;

const SWEEP = Symbol('NOTION_REFRESH_SWEEP');

/**
 * On a provider's method: sweeps on this schedule and calls the method with each sweep's report. The application
 * imports `ScheduleModule.forRoot()`; with several replicas each sweeps, and the claims keep them from refreshing
 * the same authorization twice.
 *
 * @example
 * ```ts
 * @NotionRefreshSchedule({ cron: '0 3 * * *', maxTokenAgeMs: 30 * DAY_MS, ratePerSecond: 2 })
 * onSweep(report: SweepReport) { this.logger.log(report); }
 * ```
 */
export function NotionRefreshSchedule(options: NotionRefreshScheduleOptions) {
  return (target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<ReportHandler>): void => {
    const handler = descriptor.value;
    if (handler === undefined) throw new TypeError('@NotionRefreshSchedule() decorates a method.');
    // The scheduler calls a method without arguments, so what it calls is a method that sweeps first.
    Inject(NotionRefreshSweep)(target, SWEEP);
    descriptor.value = async function sweepAndReport(this: { [SWEEP]: NotionRefreshSweep }) {
      await handler.call(this, await this[SWEEP].run(options));
    };
    const schedule = 'cron' in options ? Cron(options.cron) : Interval(options.everyMs);
    schedule(target, key, descriptor);
  };
}
