import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NotionAuthModule, NotionRefreshService, type NotionAuthOptions } from '../../src/index.js';

/** What the parent sends: authorizations to refresh, the first of them to warm up. */
export interface RefreshMemoryOrder {
  readonly options: NotionAuthOptions;
  readonly ids: readonly string[];
  readonly warmUp: number;
}

export interface RefreshMemoryReport {
  readonly kinds: readonly string[];
  /** By how much the highest resident memory rose after the warm-up. */
  readonly grownBytes: number;
  readonly error: string | null;
}

process.once('message', (order: RefreshMemoryOrder) => {
  refreshAll(order)
    .catch((error: unknown) => ({ kinds: [], grownBytes: 0, error: String(error) }))
    .then((report: RefreshMemoryReport) => {
      process.send?.(report);
      process.disconnect();
    })
    .catch(() => {
      process.exitCode = 1;
    });
});

async function refreshAll({ options, ids, warmUp }: RefreshMemoryOrder): Promise<RefreshMemoryReport> {
  const application = await NestFactory.createApplicationContext(
    NotionAuthModule.forRoot({ ...options, routes: false }),
    { logger: false, abortOnError: false },
  );
  const refreshes = application.get(NotionRefreshService, { strict: false });
  const kinds: string[] = [];
  const refresh = async (id: string): Promise<void> => {
    // What the last one left behind is garbage, and not held.
    globalThis.gc?.();
    kinds.push((await refreshes.refresh(id, { trigger: 'manual' })).kind);
  };
  for (const id of ids.slice(0, warmUp)) await refresh(id);
  const before = peakBytes();
  for (const id of ids.slice(warmUp)) await refresh(id);
  const grownBytes = peakBytes() - before;
  await application.close();
  return { kinds, grownBytes, error: null };
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1_024;
}
