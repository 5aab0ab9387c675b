export {
  NotionRefreshSchedule,
  type NotionRefreshScheduleOptions,
} from './notion-refresh-schedule.decorator.js';
export type { SweepOptions } from '../refresh/refresh.sweep.js';
export type { SweepReport } from '../refresh/sweep-report.js';
