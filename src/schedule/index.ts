export {
  NotionRefreshSchedule,
  type NotionRefreshScheduleOptions,
} from './notion-refresh-schedule.decorator.js';
export type { SweepOptions, SweepReport } from '../refresh/refresh.sweep.js';
