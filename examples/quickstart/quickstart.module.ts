import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { ScheduleModule } from '@nestjs/schedule';
import { TerminusModule } from '@nestjs/terminus';
import type { Request } from 'express';
import { NotionAuthModule, notionAuthConfig } from 'nestjs-notion-auth';
import { NotionAuthConsoleModule } from 'nestjs-notion-auth/console';
import { NotionAuthHealthIndicator } from 'nestjs-notion-auth/health';
import { prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { register } from 'prom-client';
import { ConnectionController } from './actions/connection.controller.js';
import { LastResults } from './actions/last-results.js';
import { NotionCallsController } from './actions/notion-calls.controller.js';
import { SimulatorController } from './actions/simulator.controller.js';
import { DemoOperatorGuard } from './demo-operator.guard.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { HourlySweep } from './hourly-sweep.js';
import { NotionStandIn } from './notion-stand-in.js';
import { HomeController } from './page/home.controller.js';
import { Session } from './session.js';
import { QuickstartAddress } from './start/quickstart.address.js';

export interface Quickstart {
  readonly address: QuickstartAddress;
  readonly standIn: NotionStandIn;
}

@Module({
  imports: [
    ConfigModule.forRoot(),
    ConfigModule.forFeature(notionAuthConfig),
    ScheduleModule.forRoot(),
    TerminusModule,
    NotionAuthModule.forRootAsync({
      ...notionAuthConfig.asProvider(),
      resolveOwner: (request: Request) => Session.of(request)?.ownerId,
      providers: [prometheusMetrics(register)],
    }),
    NotionAuthConsoleModule.forRoot({
      path: 'console',
      guard: DemoOperatorGuard,
      actor: (request: Request) => Session.of(request)?.ownerId,
    }),
  ],
  controllers: [
    HomeController,
    NotionCallsController,
    ConnectionController,
    SimulatorController,
    HealthController,
    MetricsController,
  ],
  providers: [LastResults, HourlySweep, NotionAuthHealthIndicator],
})
export class QuickstartModule {
  static with({ address, standIn }: Quickstart): DynamicModule {
    return {
      module: QuickstartModule,
      providers: [
        { provide: QuickstartAddress, useValue: address },
        { provide: NotionStandIn, useValue: standIn },
      ],
    };
  }
}
