import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, Optional, Scope, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { NotionAuthModule, NotionConfigError } from 'nestjs-notion-auth';
import { NotionRefreshSchedule, type SweepReport } from 'nestjs-notion-auth/schedule';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { databaseFor, NotionApp } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const OLD = { maxTokenAgeMs: 1 };

let simulator: NotionSimulator;
let storage: Awaited<ReturnType<typeof databaseFor>>;
let app: NotionApp;

beforeEach(async () => {
  simulator = await NotionSimulator.start();
  storage = await databaseFor(sqlite);
  app = await NotionApp.start(simulator, storage.options);
});

afterEach(async () => {
  await app.close();
  await simulator.close();
  await storage.drop();
});

async function keepOld(count: number): Promise<void> {
  for (let person = 0; person < count; person++) await app.keep(simulator.grant());
  await new Promise((resolve) => setTimeout(resolve, 20));
}

function requests(): number {
  return simulator.ledger.requests().length;
}

describe('a sweep', () => {
  it('that runs dry refreshes nothing, and reports what is due', async () => {
    await keepOld(7);
    const before = requests();
    expect(await app.sweep.run({ ...OLD, dryRun: true })).toMatchObject({ due: 7, renewed: 0, dryRun: true });
    expect(await app.sweep.run({ maxTokenAgeMs: 3_600_000, dryRun: true })).toMatchObject({ due: 0 });
    expect(requests()).toBe(before);
    expect(await app.sweep.run(OLD)).toMatchObject({ due: 7, renewed: 7, dryRun: false, done: true });
  });

  it('that is under way when the application ends comes to its end before the database is closed', async () => {
    await keepOld(30);
    const sweep = app.sweep.run({ ...OLD, ratePerSecond: 5 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await app.close();
    const report = await sweep;
    expect(report.done).toBe(true);
    expect(report.due).toBeLessThan(30);
    app = await NotionApp.start(simulator, storage.options);
  });

  it('reports why it renewed no more', async () => {
    await keepOld(6);
    simulator.fail('refresh', { kind: 'status', status: 400, code: 'invalid_grant' }, { times: 1 });
    simulator.fail('refresh', { kind: 'drop_after' }, { times: 1 });
    simulator.fail('refresh', { kind: 'status', status: 409, code: 'conflict_error' }, { times: 1 });
    const report = await app.sweep.run(OLD);
    expect(report).toMatchObject({
      due: 6,
      renewed: 3,
      needsReconnect: 1,
      unknown: 1,
      failed: 1,
      skipped: 0,
    });
    expect(report.failedBecause).toMatchObject({
      notProcessed: 1,
      notSent: 0,
      configuration: 0,
      surprise: 0,
    });
  });

  it('reaches the decorated method, as cron and as interval, after each batch and at its end', async () => {
    await keepOld(3);
    const reports: SweepReport[] = [];
    @Injectable()
    class Sweeper {
      @NotionRefreshSchedule({ everyMs: 100, ...OLD, maxTokenAgeMs: 3_600_000 })
      onInterval(report: SweepReport): void {
        reports.push(report);
      }

      @NotionRefreshSchedule({ cron: '* * * * * *', maxTokenAgeMs: 1, dryRun: true })
      onCron(): void {
        // Its phase is up to a minute, which is no reason for the interval to wait.
      }
    }
    @Module({})
    class SweepingModule {}
    const nest = await NestFactory.createApplicationContext(
      {
        module: SweepingModule,
        imports: [ScheduleModule.forRoot(), NotionAuthModule.forRoot({ ...app.options, routes: false })],
        providers: [Sweeper],
      },
      { logger: false },
    );
    while (reports.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reports[0]).toMatchObject({ due: 0, renewed: 0, done: true, dryRun: false });
    await nest.close();
  }, 10_000);
});

describe('a scheduled sweep that the scheduler would pass over in silence', () => {
  async function start(providers: Provider[], imports = [ScheduleModule.forRoot()]): Promise<string[]> {
    const warnings: string[] = [];
    const silent = () => undefined;
    const logger = { log: silent, error: silent, warn: (line: string) => warnings.push(line) };
    const module = await Test.createTestingModule({
      imports: [...imports, NotionAuthModule.forRoot(app.options)],
      providers,
    }).compile();
    const nest = module.createNestApplication({ logger });
    await nest.init().finally(() => nest.close());
    return warnings;
  }

  @Injectable({ scope: Scope.REQUEST })
  class Tenant {}

  it.each([
    ['is request-scoped', { scope: Scope.REQUEST }, false],
    ['is transient', { scope: Scope.TRANSIENT }, false],
    ['injects something request-scoped', {}, true],
  ])('because its provider %s stops the start, by class and method', async (_, options, injects) => {
    @Injectable(options)
    class Sweeper {
      constructor(@Optional() @Inject(injects ? Tenant : 'nothing') readonly tenant: unknown) {}

      @NotionRefreshSchedule({ everyMs: 1_000 })
      onSweep(): void {
        // Never called.
      }
    }
    const failure = await start([Tenant, Sweeper]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NotionConfigError);
    expect((failure as Error).message).toContain('Sweeper.onSweep');
  });

  it('because the application has no scheduler is a warning, by class and method', async () => {
    @Injectable()
    class Sweeper {
      @NotionRefreshSchedule({ everyMs: 60_000 })
      onSweep(): void {
        // Never called in this process.
      }
    }
    const about = (warnings: string[]) => warnings.filter((line) => line.includes('Sweeper.onSweep'));
    expect(about(await start([Sweeper], []))).toHaveLength(1);
    expect(about(await start([Sweeper]))).toEqual([]);
  });
});
