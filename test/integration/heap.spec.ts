import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import type { HeapOrder, HeapReport } from '../support/heap.process.js';
import { databaseFor, NotionApp } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const HEAP_PROCESS = resolve(import.meta.dirname, '../../build/test/support/heap.process.js');
const KEEP_MS = 1_000;

function countIn(file: string, tokens: readonly string[]): number {
  const heap = readFileSync(file, 'latin1');
  return tokens.filter((token) => heap.includes(token)).length;
}

it('E14: no token is left in the heap when its time in memory is over', async () => {
  const simulator = await NotionSimulator.start();
  const storage = await databaseFor(sqlite);
  const folder = mkdtempSync(join(tmpdir(), 'notion-heap-'));
  try {
    const app = await NotionApp.start(simulator, {
      ...storage.options,
      refresh: { retainMs: KEEP_MS },
      outbound: { tokenCacheTtlMs: KEEP_MS },
    });
    const ids: string[] = [];
    for (let person = 0; person < 10; person++) ids.push((await app.keep(simulator.grant())).id);
    const { options } = app;
    await app.close();
    const child = fork(HEAP_PROCESS, { execArgv: ['--expose-gc', '--no-warnings'] });
    const order: HeapOrder = { options, ids, folder, idleMs: 4 * KEEP_MS };
    child.send(order);
    const [report] = (await once(child, 'message')) as [HeapReport];
    const tokens = simulator.ledger.tokens().map(({ value }) => value);
    // Without these the search would prove nothing.
    expect(countIn(report.inUse, tokens)).toBeGreaterThan(ids.length);
    expect(countIn(report.idle, tokens)).toBe(0);
  } finally {
    await simulator.close();
    await storage.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
