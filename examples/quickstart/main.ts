import 'reflect-metadata';
import { ConfigModule } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { NotionAuthError } from 'nestjs-notion-auth';
import { QuickstartModule } from './quickstart.module.js';
import { checkHost } from './start/host.check.js';
import { openNotion } from './start/notion-source.js';
import { QuickstartAddress } from './start/quickstart.address.js';
import { QuietLogger } from './start/quiet.logger.js';
import { StartProblem } from './start/start.problem.js';
import { welcome } from './start/welcome.js';

try {
  await start();
} catch (error) {
  const isForPeople = error instanceof StartProblem || error instanceof NotionAuthError;
  console.error(isForPeople ? error.message : error);
  // A simulator that was started by then would keep the process alive.
  process.exit(1);
}

async function start(): Promise<void> {
  await ConfigModule.envVariablesLoaded;
  const address = await QuickstartAddress.choose(process.env);
  const standIn = await openNotion(process.env);
  const app = await NestFactory.create<NestExpressApplication>(QuickstartModule.with({ address, standIn }), {
    logger: new QuietLogger(),
    abortOnError: false,
    // Browsers keep connections open, and would hold up the end.
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.use(checkHost(address));
  app.enableShutdownHooks(undefined, { useProcessExit: true });
  await app.listen(address.port, '127.0.0.1');
  console.log(welcome(process.env, address, standIn));
}
