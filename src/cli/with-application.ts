import { existsSync } from 'node:fs';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { optionsFromEnvironment } from '../config/notion-auth.env.js';
import type { GatheredOptions } from '../config/notion-auth.options.js';
import { NotionAuthModule } from '../notion-auth.module.js';

/** What the application would be configured with here. */
export function readEnvironment(): GatheredOptions {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const options = optionsFromEnvironment(process.env);
  // The journal belongs to the process that writes it: another that replays it meanwhile would be in its way.
  return { ...options, refresh: { ...options.refresh, journalFolder: null } };
}

/**
 * Runs `work` in an application of its own that serves no routes.
 * @throws {@link NotionConfigError} or {@link NotionStorageUnsupportedError} as the application itself would.
 */
export async function withApplication<Result>(
  work: (application: INestApplicationContext) => Promise<Result>,
): Promise<Result> {
  const application = await NestFactory.createApplicationContext(
    NotionAuthModule.forRoot({ ...readEnvironment(), routes: false }),
    { logger: false, abortOnError: false },
  );
  try {
    return await work(application);
  } finally {
    await application.close();
  }
}
