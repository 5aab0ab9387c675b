import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly notion: NotionAuthHealthIndicator,
  ) {}

  /** Only that the process answers: neither Notion nor the database is a reason to restart it. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.ready('notionAuth')]);
  }

  /** For people and dashboards; not meant for a probe. */
  @Get('notion')
  @HealthCheck()
  refreshes(): Promise<HealthCheckResult> {
    return this.health.check([() => this.notion.check('notionAuth')]);
  }
}
