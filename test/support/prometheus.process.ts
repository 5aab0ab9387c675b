import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { QuickstartChild } from './browser/quickstart.child.js';
import { PrometheusServer } from './prometheus/prometheus.server.js';
import { QuickstartVisitor } from './prometheus/quickstart.visitor.js';

// A real Prometheus over the quickstart, with the alert rules as they are but for their windows: an hour is a minute.
const PEOPLE = 80;
const LEAVERS = 20;
const FAST_BURN = 'NotionRefreshBurnFast';

let passed = 0;

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`Not so: ${what}.`);
  passed += 1;
  console.log(`✓ ${what}`);
}

async function until(what: string, holds: () => Promise<boolean>, withinMs: number): Promise<void> {
  const endsMs = performance.now() + withinMs;
  while (!(await holds()) && performance.now() < endsMs) await sleep(500);
  check(what, await holds());
}

async function connectPeople(url: string, simulator: NotionSimulator): Promise<QuickstartVisitor[]> {
  const people: QuickstartVisitor[] = [];
  for (let person = 0; person < PEOPLE; person++)
    people.push(await QuickstartVisitor.connect(url, simulator));
  return people;
}

/** Each meets a 401 first, so each is refreshed. */
async function callAnew(people: readonly QuickstartVisitor[], simulator: NotionSimulator): Promise<void> {
  for (const person of people) {
    simulator.expireAccessToken(person.botId);
    await person.call();
  }
}

async function watch(folder: string): Promise<void> {
  const port = await PrometheusServer.freePort();
  const simulator = await NotionSimulator.start({
    redirectUris: [`http://localhost:${String(port)}/notion/callback`],
  });
  const quickstart = await QuickstartChild.start(folder, port, undefined, {
    NOTION_CLIENT_ID: simulator.clientId,
    NOTION_CLIENT_SECRET: simulator.clientSecret,
    NOTION_API_BASE_URL: simulator.url,
  });
  const prometheus = await PrometheusServer.start(folder, port);
  try {
    await until('the quickstart is up, as Prometheus sees it', () => prometheus.isTargetUp(), 30_000);
    const people = await connectPeople(quickstart.url, simulator);
    await until(
      'everybody who connected was counted',
      async () => (await prometheus.value('sum(notion_auth_callbacks_total{result="connected"})')) === PEOPLE,
      20_000,
    );
    await callAnew(people, simulator);
    for (const person of people.slice(0, LEAVERS)) {
      simulator.revokeGrant(person.botId);
      await person.call();
    }
    await sleep(12_000);
    const firing = await prometheus.firing();
    check(
      `no alert fires when people revoke${firing.length > 0 ? `: ${firing.join(', ')}` : ''}`,
      firing.length === 0,
    );
    simulator.fail('refresh', { kind: 'status', status: 503 });
    // Each waits for its refresh until its time is over, so they wait together.
    const calls = Promise.all(people.slice(LEAVERS).map((person) => callAnew([person], simulator)));
    await until(
      'the fast burn fires when the simulator answers 503',
      async () => (await prometheus.firing()).includes(FAST_BURN),
      45_000,
    );
    await calls;
    const rules = await prometheus.rules();
    check(
      `every one of ${String(rules.length)} rules evaluates`,
      rules.every(({ health }) => health === 'ok'),
    );
    check('the rules are all there', rules.length >= 20);
  } finally {
    await prometheus.stop();
    await quickstart.stop();
    await simulator.close();
  }
}

if (!PrometheusServer.isInstalled) {
  const mustHaveAll = process.env['CI'] === 'true';
  console.log('*** SKIPPED: Prometheus is not installed (Debian: apt-get install prometheus). ***');
  console.log(mustHaveAll ? '0 passed, 1 failed, 0 skipped' : '0 passed, 0 failed, 1 skipped');
  process.exitCode = mustHaveAll ? 1 : 0;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'notion-prometheus-'));
  try {
    await watch(folder);
    console.log(`${String(passed)} passed, 0 failed, 0 skipped`);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    console.log(`${String(passed)} passed, 1 failed, 0 skipped`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exit();
