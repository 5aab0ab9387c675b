import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionRefreshService,
  type NotionAuthOptions,
} from 'nestjs-notion-auth';
import type { CallsReport, ReplicaCommand, ReplicaReply, ReplicaRequest } from './replica.messages.js';

/** One replica of an application: a real Nest application in a process of its own, driven by its parent. */
let application: INestApplicationContext | undefined;

process.on('message', (request: ReplicaRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// A replica without a parent has nothing to prove.
process.on('disconnect', () => process.exit(0));

async function answer({ id, command }: ReplicaRequest): Promise<ReplicaReply> {
  try {
    return { id, result: await perform(command) };
  } catch (error) {
    return { id, error: codeOf(error) };
  }
}

async function perform(command: ReplicaCommand): Promise<unknown> {
  switch (command.kind) {
    case 'start':
      return start(command.options);
    case 'call':
      return call(command.authorizationId, command.count);
    case 'refresh':
      return running()
        .get(NotionRefreshService)
        .refresh(command.authorizationId, { trigger: 'manual', seenVersion: command.seenVersion });
    case 'stop':
      await running().close();
      return null;
  }
}

async function start(options: NotionAuthOptions): Promise<number> {
  application = await NestFactory.createApplicationContext(
    NotionAuthModule.forRoot({ ...options, routes: false }),
    {
      logger: process.env['REPLICA_LOG'] === undefined ? false : ['log', 'warn', 'error'],
      abortOnError: false,
    },
  );
  application.enableShutdownHooks();
  return process.pid;
}

async function call(authorizationId: string, count: number): Promise<CallsReport> {
  const client = running().get(NotionClientFactory).forAuthorization(authorizationId);
  const startedMs = performance.now();
  const calls = await Promise.allSettled(Array.from({ length: count }, () => client.users.me({})));
  const failures: Record<string, number> = {};
  for (const one of calls) {
    if (one.status === 'rejected') failures[codeOf(one.reason)] = (failures[codeOf(one.reason)] ?? 0) + 1;
  }
  const succeeded = calls.filter((one) => one.status === 'fulfilled').length;
  return { succeeded, failures, tookMs: performance.now() - startedMs };
}

function running(): INestApplicationContext {
  if (application === undefined) throw new Error('not_started');
  return application;
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? 'unknown';
}
