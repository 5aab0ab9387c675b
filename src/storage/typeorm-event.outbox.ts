import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  EventOutbox,
  type ClaimedEvent,
  type EventClaimQuery,
  type NoticedEvent,
} from '../domain/event-outbox.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import {
  addNoticed,
  claimDueEvents,
  confirmEvent,
  findOldEvents,
  postponeEvent,
  PRUNED_AT_ONCE,
  removeEvents,
} from './events.js';
import { NotionDatabase } from './notion-database.js';

type Confined = DatabaseSession & { readonly clientId: string };

/** Events of the configured client id. */
@Injectable()
export class TypeOrmEventOutbox extends EventOutbox {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
  ) {
    super();
  }

  override claimDue(query: EventClaimQuery): Promise<readonly ClaimedEvent[]> {
    // A claim whose commit was not confirmed is not repeated: it is due again when its lease is over.
    return this.database.transaction((session) => claimDueEvents(this.confined(session), query));
  }

  override confirm(claimed: ClaimedEvent): Promise<void> {
    return this.write((session) => confirmEvent(session, claimed));
  }

  override postpone(claimed: ClaimedEvent, retryInMs: number): Promise<void> {
    return this.write((session) => postponeEvent(session, claimed, retryInMs));
  }

  override raise(noticed: NoticedEvent): Promise<boolean> {
    // Where two notice it at once, the primary key lets one of them in, and the other's rejection says the same.
    return this.database
      .transaction((session) => addNoticed(this.confined(session), noticed))
      .catch(() => false);
  }

  override async prune(olderThanMs: number): Promise<boolean> {
    const old = await this.database.read((session) => findOldEvents(this.confined(session), olderThanMs));
    if (old.length > 0) await this.write((session) => removeEvents(session, old));
    return old.length === PRUNED_AT_ONCE;
  }

  private write(work: (session: Confined) => Promise<void>): Promise<void> {
    return this.database.transaction((session) => work(this.confined(session)), { confirm: harmlessTwice });
  }

  private confined(session: DatabaseSession): Confined {
    return { ...session, clientId: this.config.clientId };
  }
}
