import { Injectable, Logger } from '@nestjs/common';
import { NotionRefreshSchedule, type SweepReport } from 'nestjs-notion-auth/schedule';

const HOUR_MS = 3_600_000;
const MONTH_MS = 30 * 24 * HOUR_MS;

/** Renews what nobody has used for a month, so that rarely used workspaces do not fall asleep. */
@Injectable()
export class HourlySweep {
  private readonly logger = new Logger(HourlySweep.name);

  @NotionRefreshSchedule({ everyMs: HOUR_MS, maxTokenAgeMs: MONTH_MS })
  onSweep({ due, renewed, failed }: SweepReport): void {
    if (due > 0)
      this.logger.log(`${renewed} of ${due} old tokens renewed, ${failed} left for the next sweep.`);
  }
}
