import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { findDecoratedMethods, isMadeOnce } from '../config/decorated-methods.js';
import { NotionConfigError } from '../domain/errors.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { SCHEDULER_OF_METHOD } from './schedule-metadata.js';

/** At startup: `@nestjs/schedule` passes over some methods without an error, and their sweeps would never run. */
@Injectable()
export class RefreshScheduleCheck implements OnApplicationBootstrap {
  private readonly logger = new NotionLogger('NotionRefreshSchedule');

  constructor(private readonly modules: ModulesContainer) {}

  /** @throws {@link NotionConfigError} naming each scheduled method whose provider is not made once. */
  onApplicationBootstrap(): void {
    const scheduled = findDecoratedMethods(this.modules, SCHEDULER_OF_METHOD);
    const problems = scheduled
      .filter(({ wrapper }) => !isMadeOnce(wrapper))
      .map(({ name }) => problemOf(name));
    if (problems.length > 0) throw new NotionConfigError(problems);
    for (const { name, metadata } of scheduled) {
      if (this.hasProvider(metadata)) continue;
      // No error: another kind of process of the same application may be the one that sweeps.
      this.logger.warn('refresh schedule inactive: ScheduleModule.forRoot() is not imported', { kind: name });
    }
  }

  private hasProvider(token: unknown): boolean {
    return [...this.modules.values()].some(({ providers }) => providers.has(token as never));
  }
}

function problemOf(name: string): string {
  return (
    `@NotionRefreshSchedule() on ${name}: the scheduler calls no method of a request-scoped or transient provider, and ` +
    'this one is, or injects, such a provider; give it the default scope, and resolve what it needs with ModuleRef.resolve()'
  );
}
