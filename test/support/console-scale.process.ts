/**
 * How fast the console answers with 10,000 authorizations and a million attempts of one week, on SQLite and on
 * PostgreSQL. After `npm run build && npm run build:tools`: `node build/test/support/console-scale.process.js`.
 */
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../proofs/harness/database.js';
import { Leftovers } from '../../proofs/harness/leftovers.js';
import { CLIENT_ID, ConsoleSite, KEY_ID } from './console/console.site.js';
import { fillFleet, idOf } from './console/fleet.filler.js';

const AUTHORIZATIONS = 10_000;
const ATTEMPTS = 1_000_000;
const BOUND_MS = 300;
const REPETITIONS = 20;
const ENGINES = ['sqlite', 'postgres'] as const;

const PAGES: Readonly<Record<string, string>> = {
  'overview, 24 hours': '',
  'overview, 15 minutes': '?span=15m',
  'overview, 7 days': '?span=7d',
  'first page': '/authorizations',
  'those that need their person': '/authorizations?status=needs_reconnect',
  'a name': '/authorizations?q=of+SOMEBODY',
  'a part of one name': '/authorizations?q=9999',
  'an owner': '/authorizations?q=owner-7777',
  'nothing that there is': '/authorizations?q=nobody+at+all',
  'a text of wildcards': `/authorizations?q=${'%25_'.repeat(40)}`,
  'one authorization': `/authorizations/${idOf(4_711)}`,
};

const leftovers = new Leftovers();
let passed = 0;
let failed = 0;
for (const engine of ENGINES) await measure(engine);
await leftovers.clear();
console.log(`${String(passed)} passed, ${String(failed)} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function measure(engine: (typeof ENGINES)[number]): Promise<void> {
  const site = await ConsoleSite.start((await openDatabase(engine, leftovers)).options);
  try {
    const filledAtMs = performance.now();
    const fleet = { family: engine, clientId: CLIENT_ID, keyId: KEY_ID };
    await fillFleet((statement) => site.run(statement), {
      ...fleet,
      authorizations: AUTHORIZATIONS,
      attempts: ATTEMPTS,
    });
    console.log(
      `${engine}: ${String(AUTHORIZATIONS)} authorizations, ${String(ATTEMPTS)} attempts, filled in ${seconds(performance.now() - filledAtMs)}`,
    );
    for (const [name, path] of Object.entries(PAGES)) await measurePage(site, engine, name, path);
  } finally {
    await site.close();
  }
}

/** The first request meets nothing that is counted yet, and is among those measured. */
async function measurePage(site: ConsoleSite, engine: string, name: string, path: string): Promise<void> {
  const took: number[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    const { status, tookMs } = await site.get(path);
    if (status !== 200) throw new Error(`${name} was answered with ${String(status)}.`);
    took.push(tookMs);
    await sleep(20);
  }
  const isComplete = !(await site.get(path)).text.includes('Still counting');
  const first = took[0] ?? 0;
  took.sort((one, other) => one - other);
  const [median, p95] = [
    took[Math.floor(took.length / 2)] ?? 0,
    took[Math.ceil(took.length * 0.95) - 1] ?? 0,
  ];
  const isFast = p95 < BOUND_MS;
  if (isFast) passed += 1;
  else failed += 1;
  const remark = isComplete ? '' : ', still counting';
  console.log(
    `${isFast ? 'ok  ' : 'FAIL'} ${engine}, ${name}: median ${ms(median)}, 95th percentile ${ms(p95)}, first ${ms(first)}${remark} (bound ${ms(BOUND_MS)}; the machine may be shared)`,
  );
}

function ms(duration: number): string {
  return `${duration.toFixed(0)} ms`;
}

function seconds(duration: number): string {
  return `${(duration / 1_000).toFixed(1)} s`;
}
