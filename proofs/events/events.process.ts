import 'reflect-metadata';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AuthorizationStore,
  EventOutbox,
  NotionAuthModule,
  NotionRefreshService,
  OnNotionAuth,
  TypeOrmAuthorizationStore,
  TypeOrmEventOutbox,
  type AttemptEnding,
  type Claim,
  type ClaimedEvent,
  type EventClaimQuery,
  type NotionAuthEvent,
  type NotionAuthOptions,
  type Settlement,
  type SettleVerdict,
} from 'nestjs-notion-auth';

/** Where the process kills itself: the change is committed by then, and the outside has not heard all of it. */
export type KillStep = 'after_commit' | 'after_claim' | 'before_confirm';

export type EventsOrder =
  | { readonly kind: 'start'; readonly options: NotionAuthOptions }
  | { readonly kind: 'arm'; readonly step: KillStep }
  | { readonly kind: 'refresh'; readonly authorizationId: string };

export type EventsReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'heard'; readonly id: string; readonly name: string; readonly authorizationId: string };

let armed: KillStep | null = null;
/** Of its own change: an event of somebody else must not kill it before. */
let isCommitted = false;
let application: INestApplicationContext;

function killAt(step: KillStep): void {
  if (armed === step && isCommitted) process.kill(process.pid, 'SIGKILL');
}

/** The library's own store, with a sudden death right after its commit. */
@Injectable()
class DeadlyStore extends TypeOrmAuthorizationStore {
  override async settle(claim: Claim, settlement: Settlement, ending: AttemptEnding): Promise<SettleVerdict> {
    const verdict = await super.settle(claim, settlement, ending);
    isCommitted = true;
    killAt('after_commit');
    return verdict;
  }
}

/** The library's own outbox, with a sudden death at a named step. */
@Injectable()
class DeadlyOutbox extends TypeOrmEventOutbox {
  override async claimDue(query: EventClaimQuery): Promise<readonly ClaimedEvent[]> {
    const claimed = await super.claimDue(query);
    if (claimed.length > 0) killAt('after_claim');
    return claimed;
  }

  override confirm(claimed: ClaimedEvent): Promise<void> {
    killAt('before_confirm');
    return super.confirm(claimed);
  }
}

@Injectable()
class Listener {
  @OnNotionAuth('connected', 'needs_reconnect')
  async hear({ id, name, authorizationId }: NotionAuthEvent): Promise<void> {
    await tell({ kind: 'heard', id, name, authorizationId: authorizationId! });
  }
}

@Module({})
class EventsModule {}

/** Resolves when the parent's pipe has it: a process that dies afterwards has still said it. */
function tell(report: EventsReport): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(report, undefined, {}, () => {
      resolve();
    });
  });
}

process.on('message', (order: EventsOrder) => void obey(order));
process.on('disconnect', () => process.exit(0));

async function obey(order: EventsOrder): Promise<void> {
  if (order.kind === 'arm') {
    armed = order.step;
  } else if (order.kind === 'refresh') {
    await application.get(NotionRefreshService).refresh(order.authorizationId, { trigger: 'manual' });
  } else {
    const providers = [
      { provide: EventOutbox, useClass: DeadlyOutbox },
      { provide: AuthorizationStore, useClass: DeadlyStore },
    ];
    const wiring = { routes: false, providers } as const;
    application = await NestFactory.createApplicationContext(
      {
        module: EventsModule,
        imports: [NotionAuthModule.forRoot({ ...order.options, ...wiring })],
        providers: [Listener],
      },
      { logger: false, abortOnError: false },
    );
    await tell({ kind: 'ready' });
  }
}
