import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import {
  EventOutbox,
  type ClaimedEvent,
  type EventClaimQuery,
  type NoticedEvent,
} from '../domain/event-outbox.js';
import { harmlessTwice, type DatabaseSession } from './database-sessions.js';
import { addNoticed, claimDueEvents, confirmEvent, postponeEvent, pruneEvents } from './events.js';
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

  override prune(olderThanMs: number): Promise<boolean> {
    return this.write((session) => pruneEvents(session, olderThanMs));
  }

  private write<T>(work: (session: Confined) => Promise<T>): Promise<T> {
    return this.database.transaction((session) => work(this.confined(session)), { confirm: harmlessTwice });
  }

  private confined(session: DatabaseSession): Confined {
    return { ...session, clientId: this.config.clientId };
  }
}
