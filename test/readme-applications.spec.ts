import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import ts from 'typescript';
import { readmeExamples, ROOT } from './support/readme.js';

const PORT_LINE = /^listening on (\d+)$/;

/** What the README leaves to the application: a session, and the start. */
const mainOf = (file: string, module: string) => `
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ${module} } from './${file.replace(/\.ts$/, '.js')}';
const app = await NestFactory.create(${module}, { logger: ['error'], abortOnError: false });
app.use((request, _response, next) => { request.session = { userId: 'ada' }; next(); });
await app.listen(0, '127.0.0.1');
console.log('listening on ' + app.getHttpServer().address().port);
`;

/** Needs the build (`npm test` makes it): the examples import the package by its name. */
describe("the README's applications", () => {
  let folder: string;
  let child: ChildProcess | undefined;
  const simulators: NotionSimulator[] = [];

  beforeEach(() => {
    mkdirSync(resolve(ROOT, 'build'), { recursive: true });
    folder = mkdtempSync(resolve(ROOT, 'build/readme-'));
  });

  afterEach(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    child = undefined;
    for (const simulator of simulators.splice(0)) await simulator.close();
    rmSync(folder, { recursive: true });
  });

  async function simulate(): Promise<NotionSimulator> {
    const simulator = await NotionSimulator.start();
    simulators.push(simulator);
    return simulator;
  }

  /** @returns the origin of the application that runs. */
  async function start(file: string, module: string, environment: NodeJS.ProcessEnv): Promise<string> {
    const sources = new Map([...readmeExamples()].filter(([name]) => name.startsWith('src/')));
    sources.set('src/main.ts', mainOf(file, module));
    for (const [name, code] of sources) {
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          experimentalDecorators: true,
          emitDecoratorMetadata: true,
        },
      });
      const path = join(folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, outputText);
    }
    child = spawn(process.execPath, [join(folder, 'src/main.js')], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout! })) {
      const port = PORT_LINE.exec(line)?.[1];
      if (port !== undefined) return `http://127.0.0.1:${port}`;
    }
    throw new Error('The application ended before it listened.');
  }

  /** Presses *Allow* in a browser that keeps its cookie. */
  async function connect(origin: string, routes: string, simulator: NotionSimulator): Promise<void> {
    const departure = await fetch(`${origin}/${routes}/connect`, { redirect: 'manual' });
    const callback = new URL(simulator.allow(departure.headers.get('location')!));
    const cookie = departure.headers.getSetCookie()[0]!.split(';')[0]!;
    const arrival = await fetch(origin + callback.pathname + callback.search, {
      headers: { cookie },
      redirect: 'manual',
    });
    expect(arrival.status).toBe(303);
  }

  const connectedAt = async (url: string) =>
    (await (await fetch(url)).text())
      .split('\n')
      .find((line) => line.startsWith('notion_auth_callbacks_total') && line.includes('result="connected"'));

  it('count a connect in the metrics of the one registration', async () => {
    const simulator = await simulate();
    const measured = [...readmeExamples()].find(
      ([name, code]) => name.startsWith('src/app.module') && code.includes('prometheusMetrics('),
    )![0];
    const origin = await start(measured.replace('src/', ''), 'AppModule', {
      NOTION_API_BASE_URL: simulator.url,
      NOTION_CLIENT_ID: simulator.clientId,
      NOTION_CLIENT_SECRET: simulator.clientSecret,
      NOTION_REDIRECT_URIS: 'http://localhost:3000/notion/callback',
    });
    expect(await connectedAt(`${origin}/metrics`)).toMatch(/ 0$/);
    await connect(origin, 'notion', simulator);
    expect(await connectedAt(`${origin}/metrics`)).toMatch(/ 1$/);
  }, 60_000);

  it('count the connects of two integrations apart, each with its label', async () => {
    const parts = { crm: await simulate(), support: await simulate() };
    const environment = Object.entries(parts).flatMap(([name, { url, clientId, clientSecret }]) => {
      const prefix = `${name.toUpperCase()}_NOTION`;
      return [
        [`${prefix}_API_BASE_URL`, url],
        [`${prefix}_CLIENT_ID`, clientId],
        [`${prefix}_CLIENT_SECRET`, clientSecret],
        [`${prefix}_REDIRECT_URI`, `http://localhost:3000/${name}/callback`],
      ];
    });
    const origin = await start(
      'integrations.ts',
      'IntegrationsModule',
      Object.fromEntries(environment) as NodeJS.ProcessEnv,
    );
    await connect(origin, 'crm', parts.crm);
    expect(await connectedAt(`${origin}/metrics/crm`)).toMatch(/client="crm".* 1$/);
    expect(await connectedAt(`${origin}/metrics/support`)).toMatch(/client="support".* 0$/);
    await connect(origin, 'support', parts.support);
    expect(await connectedAt(`${origin}/metrics/support`)).toMatch(/ 1$/);
  }, 60_000);

  it('register the module once in each module class that an example declares', () => {
    for (const [name, code] of readmeExamples())
      expect([name, code.match(/NotionAuthModule\.forRoot(?:Async)?\(/g)?.length ?? 0]).toEqual([
        name,
        code.includes('NotionAuthModule.forRoot') ? 1 : 0,
      ]);
    const global = [...readmeExamples()].filter(
      ([name, code]) =>
        /forRoot(?:Async)?\(/.test(code) &&
        code.includes('NotionAuthModule.forRoot') &&
        !code.includes('isGlobal: false') &&
        !name.startsWith('test/'),
    );
    expect(global.map(([name]) => name).filter((name) => !name.startsWith('src/app.module'))).toEqual([]);
  });
});
