import 'reflect-metadata';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { INestApplicationContext } from '@nestjs/common';
import {
  NotionClientFactory,
  NotionConnectService,
  NotionKeyRotation,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionTokenService,
  type KeyRotationOptions,
  type RefreshTrigger,
} from 'nestjs-notion-auth';
import { refreshInTransactions, timeHostQueries } from './host.work.js';
import { reconnect } from './person.work.js';
import { rollBackHostWork } from './host.rollbacks.js';
import { hostDataSource, startApplication } from './replica.application.js';
import { codeOf, ReplicaLoad, type Work } from './replica.load.js';
import type {
  CallsReport,
  LoadPlan,
  RefreshesReport,
  ReplicaCommand,
  ReplicaReply,
  ReplicaRequest,
  ReplicaStats,
} from './replica.messages.js';
import { stall } from './stall.js';
import { answerWindow, killSwitch } from './watched.providers.js';

/** One replica of an application: a real Nest application in a process of its own, driven by its parent. */
let application: INestApplicationContext | undefined;
let load: ReplicaLoad | undefined;
const loopDelay = monitorEventLoopDelay({ resolution: 10 });

process.on('message', (request: ReplicaRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// A replica without a parent has nothing to prove.
process.on('disconnect', () => process.exit(0));

async function answer({ id, command }: ReplicaRequest): Promise<ReplicaReply> {
  try {
    return { id, result: (await perform(command)) ?? null };
  } catch (error) {
    return { id, error: codeOf(error) };
  }
}

async function perform(command: ReplicaCommand): Promise<unknown> {
  switch (command.kind) {
    case 'start':
      application = await startApplication(command.options, command.setup);
      loopDelay.enable();
      return process.pid;
    case 'call': {
      const client = running().get(NotionClientFactory).forAuthorization(command.authorizationId);
      return allAtOnce(command.count, () => client.users.me({}));
    }
    case 'tokens':
      return allAtOnce(command.count, () =>
        running().get(NotionTokenService).getAccessToken(command.authorizationId),
      );
    case 'refresh':
      return running()
        .get(NotionRefreshService)
        .refresh(command.authorizationId, {
          trigger: command.trigger ?? 'manual',
          seenVersion: command.seenVersion,
        });
    case 'refreshAll':
      return refreshAll(command.authorizationIds, command.trigger);
    case 'sweep':
      return running().get(NotionRefreshSweep).run(command.options);
    case 'rotateKeys':
      return running().get(NotionKeyRotation).run(rotationOf(command));
    case 'startLoad':
      load = new ReplicaLoad(command.plan, workOf(command.plan));
      return null;
    case 'load':
      return command.stop ? load?.stop() : load?.report();
    case 'arm':
      killSwitch.arm(command.order);
      return null;
    case 'stall':
      return stall(command.phase, command.ms);
    case 'stats':
      return stats();
    case 'hostQueries':
      return timeHostQueries(hostDataSource(running()), command.forMs, command.everyMs);
    case 'refreshInTransactions': {
      const refreshes = command.authorizationIds.map((id) => () => outcomeOfRefresh(id));
      return refreshInTransactions(hostDataSource(running()), refreshes, command.waitMs);
    }
    case 'reconnect':
      return reconnect(running(), command);
    case 'hostRollbacks':
      return rollBackHostWork(running(), command.count);
    case 'disconnect':
      return running().get(NotionConnectService).disconnect(command.authorizationId, command.ownerId);
    case 'stop':
      await running().close();
      return null;
  }
}

async function allAtOnce(count: number, work: () => Promise<unknown>): Promise<CallsReport> {
  const startedMs = performance.now();
  const calls = await Promise.allSettled(Array.from({ length: count }, work));
  const failures: Record<string, number> = {};
  for (const one of calls) {
    if (one.status === 'rejected') failures[codeOf(one.reason)] = (failures[codeOf(one.reason)] ?? 0) + 1;
  }
  const succeeded = calls.filter((one) => one.status === 'fulfilled').length;
  return { succeeded, failures, tookMs: performance.now() - startedMs };
}

async function refreshAll(ids: readonly string[], trigger?: RefreshTrigger): Promise<RefreshesReport> {
  const startedMs = performance.now();
  const outcomes: Record<string, number> = {};
  const timesMs: number[] = [];
  const refreshOne = async (id: string) => {
    const outcome = await outcomeOfRefresh(id, trigger).catch((error: unknown) => `error:${codeOf(error)}`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    timesMs.push(performance.now() - startedMs);
  };
  await Promise.all(ids.map(refreshOne));
  return { outcomes, tookMs: performance.now() - startedMs, timesMs };
}

async function outcomeOfRefresh(id: string, trigger: RefreshTrigger = 'manual'): Promise<string> {
  const outcome = await running().get(NotionRefreshService).refresh(id, { trigger });
  return outcome.kind;
}

function workOf({ kind }: LoadPlan): Work {
  const ok = () => 'ok';
  switch (kind) {
    case 'call':
      return (id) => running().get(NotionClientFactory).forAuthorization(id).users.me({}).then(ok);
    case 'token':
      return (id) => running().get(NotionTokenService).getAccessToken(id).then(ok);
    case 'refresh':
      return outcomeOfRefresh;
  }
}

function stats(): ReplicaStats {
  const ms = (nanoseconds: number) => nanoseconds / 1e6;
  const loopDelayMs = {
    p50: ms(loopDelay.percentile(50)),
    p99: ms(loopDelay.percentile(99)),
    max: ms(loopDelay.max),
  };
  loopDelay.reset();
  return {
    rssBytes: process.memoryUsage.rss(),
    loopDelayMs,
    pending: answerWindow.pending,
    steps: { ...killSwitch.reached },
    windowMs: answerWindow.samplesMs,
    parsedWindowMs: answerWindow.parsedSamplesMs,
  };
}

function running(): INestApplicationContext {
  if (application === undefined) throw new Error('not_started');
  return application;
}

function rotationOf({
  batchSize,
  killAfter,
}: Extract<ReplicaCommand, { readonly kind: 'rotateKeys' }>): KeyRotationOptions {
  let batches = 0;
  const onProgress = (): void => {
    batches += 1;
    if (batches === killAfter) process.kill(process.pid, 'SIGKILL');
  };
  return { batchSize, onProgress };
}
