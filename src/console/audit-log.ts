import { Inject, Injectable } from '@nestjs/common';
import type { AuthorizationId } from '../domain/authorization.js';
import { Clock } from '../domain/clock.js';
import { maskedText } from '../logging/masked-text.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { QuietLogger } from '../logging/quiet.logger.js';
import type { ActionName } from './action-names.js';
import type { ConsoleActor } from './console.options.js';
import type { ConsoleRequest } from './console.request.js';
import type { Note } from './signed-notes.js';

/** Injection token of the option. */
export const CONSOLE_ACTOR = Symbol('CONSOLE_ACTOR');

const LONGEST_ACTOR = 64;

/** Who did what, and what came of it: one line for each action, whatever it came to. */
@Injectable()
export class AuditLog {
  private readonly logger = new NotionLogger('NotionConsole');
  private readonly refusals: QuietLogger;

  constructor(
    @Inject(CONSOLE_ACTOR) private readonly resolveActor: ConsoleActor | null,
    clock: Clock,
  ) {
    this.refusals = new QuietLogger('NotionConsole', clock);
  }

  /** Rejects as the option does: an action of nobody knows whom is not begun. */
  async actorOf(request: ConsoleRequest): Promise<string> {
    const actor = await this.resolveActor?.(request as never);
    if (typeof actor !== 'string' || actor === '') return 'unknown';
    // Before it is cut: half a token looks like none.
    return maskedText(actor).slice(0, LONGEST_ACTOR);
  }

  /** Writes down what `work` came to, also when it is a surprise. */
  async witness(
    action: ActionName,
    authorization: AuthorizationId,
    actor: string,
    work: () => Promise<Note>,
  ): Promise<Note> {
    let note: Note = { action, outcome: 'failed', owners: 0 };
    try {
      note = await work();
      return note;
    } finally {
      const facts = { kind: action, outcome: note.outcome, authorization, actor };
      this.logger.log('console action', note.owners === 0 ? facts : { ...facts, owners: note.owners });
    }
  }

  refused(action: string, refusal: 'foreign_site' | 'form_token'): void {
    this.refusals.warn(`console refused ${refusal}`, 'console refused', {
      kind: action,
      refusal,
      answered: 403,
    });
  }
}
