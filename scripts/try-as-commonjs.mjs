// The life of an authorization in an application that loads everything by `require`:
// node scripts/try-as-commonjs.mjs FOLDER, where FOLDER has the packages installed.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const require = createRequire(join(folder, 'application.cjs'));
require('reflect-metadata');
const { NestFactory } = require('@nestjs/core');
const { NotionAuthModule, NotionClientFactory, NotionConnectService } = require('nestjs-notion-auth');
const { NotionSimulator } = require('nestjs-notion-auth/testing');

const simulator = await NotionSimulator.start();
const { clientId, clientSecret, url: apiBaseUrl } = simulator;
const module = NotionAuthModule.forRoot({
  clientId,
  clientSecret,
  apiBaseUrl,
  redirectUris: ['http://localhost:3000/notion/callback'],
  databaseFile: join(folder, 'notion-auth.sqlite'),
  resolveOwner: () => 'ada',
});
const application = await NestFactory.create(module, { logger: ['error'], abortOnError: false });
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

await application.close();
await simulator.close();
console.log(`${require('@nestjs/core/package.json').version}: connected, renewed once, ended`);
