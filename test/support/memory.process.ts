import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NotionAuthModule, NotionTokenService, type NotionAuthOptions } from '../../src/index.js';
import { AccessTokenCache } from '../../src/refresh/access-token.cache.js';

/** What the parent sends: an application whose database is full already. */
export interface MemoryOrder {
  readonly options: NotionAuthOptions;
  readonly ids: readonly string[];
  readonly cacheSize: number;
}

export interface MemoryReport {
  readonly touched: number;
  /** Tokens in memory after the last one. */
  readonly cached: number;
  /** Resident memory beyond what it was after the first five thousand, when all code is warm. */
  readonly grownBytes: number;
  readonly error: string | null;
}

const FIRST = 5_000;
const AT_ONCE = 50;
/** Garbage alone lets V8 take more; what is asked is how much is kept. */
const COLLECT_EVERY = 5_000;

process.once('message', (order: MemoryOrder) => {
  touchAll(order)
    .catch((error: unknown) => ({ touched: 0, cached: 0, grownBytes: 0, error: String(error) }))
    .then((report: MemoryReport) => {
      process.send?.(report);
      process.disconnect();
    })
    .catch(() => {
      process.exitCode = 1;
    });
});

async function touchAll({ options, ids, cacheSize }: MemoryOrder): Promise<MemoryReport> {
  const application = await NestFactory.createApplicationContext(
    NotionAuthModule.forRoot({ ...options, outbound: { tokenCacheSize: cacheSize }, routes: false }),
    { logger: false, abortOnError: false },
  );
  const tokens = application.get(NotionTokenService, { strict: false });
  await touch(tokens, ids.slice(0, FIRST));
  const before = residentBytes();
  await touch(tokens, ids.slice(FIRST));
  const grownBytes = residentBytes() - before;
  const cached = application.get(AccessTokenCache, { strict: false }).size;
  await application.close();
  return { touched: ids.length, cached, grownBytes, error: null };
}

async function touch(tokens: NotionTokenService, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    if (from % COLLECT_EVERY === 0) globalThis.gc?.();
    await Promise.all(ids.slice(from, from + AT_ONCE).map((id) => tokens.getAccessToken(id)));
  }
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss;
}
