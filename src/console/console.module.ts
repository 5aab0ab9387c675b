import { Module, type DynamicModule } from '@nestjs/common';
import { NotionConfigError } from '../domain/errors.js';
import { AuditLog, CONSOLE_ACTOR } from './audit-log.js';
import { ConsolePages } from './console.pages.js';
import { CONSOLE_PATH, consoleProblems, trimmed, type NotionAuthConsoleOptions } from './console.options.js';
import { ConsoleResponder } from './console.responder.js';
import { consoleControllerFor } from './console.controller.js';
import { FleetOverview } from './fleet-overview.js';
import { FormTokens } from './form-tokens.js';
import { OperatorActions } from './operator.actions.js';
import { RefreshHistory } from './refresh-history.js';
import { SignedNotes } from './signed-notes.js';

/**
 * Pages for operators: how the fleet of authorizations is, how refreshing went, what fails and what to do about it, and
 * buttons to refresh, to reconnect and to disconnect. Nothing is mounted unless an application imports this.
 *
 * The console shows the authorizations of **all** owners and ends them, so it does not start without a guard. Its forms
 * are read by the application's body parser, which Nest has unless it is told not to.
 *
 * @example
 * ```ts
 * NotionAuthConsoleModule.forRoot({
 *   path: 'internal/notion',
 *   guard: OperatorsOnlyGuard,
 *   imports: [SessionModule],
 *   actor: (request: Request) => request.user?.email,
 * })
 * ```
 */
@Module({})
export class NotionAuthConsoleModule {
  /** @throws {@link NotionConfigError} while the application starts, naming every problem at once. */
  static forRoot(options: NotionAuthConsoleOptions): DynamicModule {
    const problems = consoleProblems(options);
    if (problems.length > 0) return refusal(problems);
    return {
      module: NotionAuthConsoleModule,
      imports: options.imports ?? [],
      controllers: [
        consoleControllerFor(trimmed(options.path ?? CONSOLE_PATH), options.guard, options.publicOrigin),
      ],
      providers: [
        { provide: CONSOLE_ACTOR, useValue: options.actor ?? null },
        FleetOverview,
        RefreshHistory,
        ConsolePages,
        OperatorActions,
        FormTokens,
        SignedNotes,
        AuditLog,
        ConsoleResponder,
      ],
    };
  }
}

/** It has no route, and ends the start where people expect it to fail: not while files are imported. */
function refusal(problems: readonly string[]): DynamicModule {
  const refuse = (): never => {
    throw new NotionConfigError(problems);
  };
  return {
    module: NotionAuthConsoleModule,
    providers: [{ provide: CONSOLE_ACTOR, useFactory: refuse }],
  };
}
