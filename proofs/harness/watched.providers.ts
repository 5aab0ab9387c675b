import { Injectable, type Provider } from '@nestjs/common';
import {
  AuthorizationStore,
  Clock,
  FilePairJournal,
  NOTION_AUTH_CONFIG,
  NoPairJournal,
  NotionOAuth,
  NotionOAuthClient,
  PairJournal,
  TokenCipher,
  TypeOrmAuthorizationStore,
  type JournalReceipt,
  type NotionAuthConfig,
  type RetainedPair,
} from 'nestjs-notion-auth';
import { AnswerWindow } from './answer.window.js';
import { KillSwitch } from './steps.js';

/** One refresh process has one of each; they are what the parent talks to. */
export const killSwitch = new KillSwitch();
export const answerWindow = new AnswerWindow();

type RefreshArguments = Parameters<NotionOAuth['refresh']>;
type StoreArguments = Parameters<AuthorizationStore['storePair']>;

@Injectable()
class WatchedOAuth extends NotionOAuthClient {
  override async refresh(...given: RefreshArguments) {
    killSwitch.reach('after_claim');
    const answered = killSwitch.reachOnTheWire();
    return answerWindow
      .watch(
        () => super.refresh(...given),
        (answer) => (answer.kind === 'success' ? answer.pair.accessToken : null),
      )
      .finally(answered);
  }
}

class WatchedFileJournal extends FilePairJournal {
  override record(retained: RetainedPair): JournalReceipt | null {
    killSwitch.reach('after_answer');
    const receipt = super.record(retained);
    if (receipt !== null) answerWindow.close(retained.pair.accessToken);
    return receipt;
  }
}

class WatchedNoJournal extends NoPairJournal {
  override record(): null {
    killSwitch.reach('after_answer');
    return null;
  }
}

@Injectable()
class WatchedStore extends TypeOrmAuthorizationStore {
  override async storePair(...given: StoreArguments) {
    killSwitch.reach('after_journal');
    const verdict = await super.storePair(...given);
    answerWindow.close(given[1].accessToken);
    killSwitch.reach('after_commit');
    return verdict;
  }
}

/** The public injection points: each port is answered by the module's own class, watched. */
export const WATCHED_PROVIDERS: readonly Provider[] = [
  { provide: NotionOAuth, useClass: WatchedOAuth },
  { provide: AuthorizationStore, useClass: WatchedStore },
  {
    provide: PairJournal,
    inject: [NOTION_AUTH_CONFIG, TokenCipher, Clock],
    useFactory: (config: NotionAuthConfig, cipher: TokenCipher, clock: Clock) => {
      const folder = config.refresh.journalFolder;
      return folder === null
        ? new WatchedNoJournal()
        : new WatchedFileJournal({ folder, config, cipher, clock });
    },
  },
];
