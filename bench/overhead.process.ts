import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLogger, Injectable, Logger, type LoggerService } from '@nestjs/common';
import { OnNotionAuth } from 'nestjs-notion-auth';
import { prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { Registry } from 'prom-client';
import { startApplication, type Application, type Watching } from './application.js';
import { SIDES, type OverheadReport, type Round, type RoundsOrder, type Side } from './overhead.report.js';
import { callsPerSecond, type Call } from './rounds.js';

// Applications that do the same work in turn: one with metrics, a listener for every event, and the log; two without.
// In one process, because two processes of the same program differ by more than what is measured. Where the lines of
// the log go is up to whoever starts it.
const [notionUrl = '', ordered = '{}'] = process.argv.slice(2);

/** Of so many calls one asks for a page that was not shared. */
const CALLS_PER_ERROR = 25;
/** Long enough for what a round leaves behind, so that none of it falls into the round of another. */
const REST_MS = 40;

let eventsHeard = 0;

@Injectable()
class Listener {
  @OnNotionAuth(
    'connected',
    'needs_reconnect',
    'recovered',
    'disconnected',
    'refresh_failed',
    'configuration_alarm',
    'error_spike',
    'refresh_storm',
  )
  heard(): void {
    eventsHeard += 1;
  }
}

async function call({ clients, id }: Application, path: string): Promise<void> {
  const answer = await clients.fetchFor(id)(path, { headers: { 'notion-version': '2026-03-11' } });
  await answer.json();
}

/** Calls that succeed and a few that do not; half way the token dies. */
function mixed(app: Application, calls: number): Call {
  let called = 0;
  return () => {
    called += 1;
    if (called === calls / 2) return call(app, '/v1/forget-this-token');
    return call(app, called % CALLS_PER_ERROR === 0 ? '/v1/pages/not-shared' : '/v1/users/me');
  };
}

/** The calls, while somebody else connects. */
async function round(app: Application, { calls, parallel }: RoundsOrder): Promise<Round> {
  const before = process.cpuUsage();
  const [rate] = await Promise.all([callsPerSecond(mixed(app, calls), calls, parallel), app.connect()]);
  await sleep(REST_MS);
  const { user, system } = process.cpuUsage(before);
  return { rate, cpuPerCall: (user + system) / calls };
}

/** In every order as often as in any other: each finds the machine as the one before has left it. */
async function takeTurns(
  apps: Record<Side, Application>,
  loggers: Record<Side, LoggerService | false>,
  order: RoundsOrder,
): Promise<Record<Side, Round[]>> {
  const taken: Record<Side, Round[]> = { watched: [], bare: [], control: [] };
  const turns = [...SIDES];
  for (let number = -order.warmUp; number < order.rounds; number++) {
    turns.push(turns.shift()!);
    for (const side of number % 2 === 0 ? turns : turns.toReversed()) {
      // Nest has one logger in a process.
      Logger.overrideLogger(loggers[side]);
      const done = await round(apps[side], order);
      if (number >= 0) taken[side].push(done);
    }
  }
  return taken;
}

const registry = new Registry();
const everything: Watching = {
  adapters: [prometheusMetrics(registry)],
  listeners: [Listener],
  logger: new ConsoleLogger(),
};
const apps = {
  watched: await startApplication(notionUrl, everything),
  bare: await startApplication(notionUrl),
  control: await startApplication(notionUrl),
};
const loggers = { watched: new ConsoleLogger(), bare: false, control: false } as const;
const rounds = await takeTurns(apps, loggers, JSON.parse(ordered) as RoundsOrder);
const report: OverheadReport = { rounds, eventsHeard, series: await registry.metrics() };
process.send?.(report, undefined, undefined, () => {
  void Promise.all(SIDES.map((side) => apps[side].close())).then(() => process.exit());
});
