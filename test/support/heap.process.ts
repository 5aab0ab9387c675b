import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import { NestFactory } from '@nestjs/core';
import {
  NotionAuthModule,
  NotionRefreshService,
  NotionTokenService,
  type NotionAuthOptions,
} from '../../src/index.js';

/** What the parent sends: an application whose authorizations wait in the database. */
export interface HeapOrder {
  readonly options: NotionAuthOptions;
  readonly ids: readonly string[];
  /** Between the last use and the second picture. */
  readonly idleMs: number;
  readonly folder: string;
}

/** Where the pictures of the heap are: right after the last use, and after the time without any. */
export interface HeapReport {
  readonly inUse: string;
  readonly idle: string;
}

process.once('message', (order: HeapOrder) => {
  useAndRest(order)
    .then((report) => {
      process.send?.(report);
      process.disconnect();
    })
    .catch(() => {
      process.exit(1);
    });
});

async function useAndRest({ options, ids, idleMs, folder }: HeapOrder): Promise<HeapReport> {
  const application = await NestFactory.createApplicationContext(
    NotionAuthModule.forRoot({ ...options, routes: false }),
    { logger: false, abortOnError: false },
  );
  for (let round = 0; round < 3; round++) {
    for (const id of ids) {
      await application.get(NotionRefreshService, { strict: false }).refresh(id, { trigger: 'manual' });
      await application.get(NotionTokenService, { strict: false }).getAccessToken(id);
    }
  }
  const inUse = writeHeapSnapshot(`${folder}/in-use.heapsnapshot`);
  await sleep(idleMs);
  globalThis.gc?.();
  const idle = writeHeapSnapshot(`${folder}/idle.heapsnapshot`);
  await application.close();
  return { inUse, idle };
}
