// The life of an authorization in an application that loads everything by `require`, with its health and its sweeps:
// node scripts/try-as-commonjs.mjs FOLDER, where FOLDER has the packages installed.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const require = createRequire(join(folder, 'application.cjs'));
require('reflect-metadata');
const { Controller, Get, Inject, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { ScheduleModule } = require('@nestjs/schedule');
const { HealthCheck, HealthCheckService, TerminusModule } = require('@nestjs/terminus');
const { NotionAuthModule, NotionClientFactory, NotionConnectService } = require('nestjs-notion-auth');
const { NotionAuthHealthIndicator } = require('nestjs-notion-auth/health');
const { NotionRefreshSchedule } = require('nestjs-notion-auth/schedule');
const { NotionSimulator } = require('nestjs-notion-auth/testing');

const simulator = await NotionSimulator.start();
const { clientId, clientSecret, url: apiBaseUrl } = simulator;
const notionAuth = NotionAuthModule.forRoot({
  clientId,
  clientSecret,
  apiBaseUrl,
  redirectUris: ['http://localhost:3000/notion/callback'],
  databaseFile: join(folder, 'notion-auth.sqlite'),
  resolveOwner: () => 'ada',
});

class HealthController {
  constructor(health, notion) {
    this.health = health;
    this.notion = notion;
  }

  ready() {
    return this.health.check([() => this.notion.ready('notionAuth')]);
  }

  refreshes() {
    return this.health.check([() => this.notion.check('notionAuth')]);
  }
}
Controller('health')(HealthController);
Inject(HealthCheckService)(HealthController, undefined, 0);
Inject(NotionAuthHealthIndicator)(HealthController, undefined, 1);
decorate(HealthController, 'ready', Get('ready'), HealthCheck());
decorate(HealthController, 'refreshes', Get('notion'), HealthCheck());

const reports = [];
class Sweeps {
  onSweep(report) {
    reports.push(report);
  }
}
decorate(Sweeps, 'onSweep', NotionRefreshSchedule({ everyMs: 200, maxTokenAgeMs: 3_600_000 }));

class Application {}
Module({
  imports: [notionAuth, TerminusModule, ScheduleModule.forRoot()],
  controllers: [HealthController],
  providers: [NotionAuthHealthIndicator, Sweeps],
})(Application);

const application = await NestFactory.create(Application, { logger: ['error'], abortOnError: false });
await application.listen(0, '127.0.0.1');
const origin = `http://127.0.0.1:${application.getHttpServer().address().port}`;

const departure = await fetch(`${origin}/notion/connect`, { redirect: 'manual' });
const callback = new URL(simulator.allow(departure.headers.get('location')));
const cookie = departure.headers.getSetCookie()[0].split(';')[0];
const back = `${origin}${callback.pathname}${callback.search}`;
assert.equal((await fetch(back, { redirect: 'manual', headers: { cookie } })).status, 303);

simulator.expireAllAccessTokens();
const [authorization] = await application.get(NotionConnectService).list('ada');
const notion = application.get(NotionClientFactory).forAuthorization(authorization.id);
const answers = await Promise.all(Array.from({ length: 20 }, () => notion.users.me({})));
assert.equal(answers.length, 20);
assert.equal(simulator.ledger.refreshes(), 1);

for (const [path, fact] of [
  ['ready', 'database'],
  ['notion', 'state'],
]) {
  const answer = await fetch(`${origin}/health/${path}`);
  const { notionAuth: told } = (await answer.json()).details;
  assert.deepEqual([path, answer.status, told.status, fact in told], [path, 200, 'up', true]);
}
while (!reports.some(({ done }) => done)) await new Promise((resolve) => setTimeout(resolve, 50));

await application.close();
await simulator.close();
const versions = ['core', 'terminus', 'schedule'].map(
  (name) => `${name} ${require(`@nestjs/${name}/package.json`).version}`,
);
console.log(`${versions.join(', ')}: connected, renewed once, healthy, swept, ended`);

function decorate(target, method, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, method);
  for (const decorator of decorators.toReversed()) decorator(target.prototype, method, descriptor);
  Object.defineProperty(target.prototype, method, descriptor);
}
