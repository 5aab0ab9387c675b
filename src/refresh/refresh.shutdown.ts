import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PairCustody } from './pair.custody.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Knows from the first moment that the process is about to end (rule R20): then nothing is claimed any more, what is
 * under way is brought to its end, and what is left at the very end goes to the journal.
 */
@Injectable()
export class RefreshShutdown implements OnModuleInit, OnModuleDestroy {
  private begun = false;
  private readonly drains: (() => Promise<unknown>)[] = [];

  constructor(private readonly custody: PairCustody) {}

  get hasBegun(): boolean {
    return this.begun;
  }

  /** Also what to wait for before the process may end. */
  drainWith(drain: () => Promise<unknown>): void {
    this.drains.push(drain);
  }

  onModuleInit(): void {
    for (const signal of SIGNALS) process.once(signal, this.onSignal);
    process.once('exit', this.onExit);
  }

  /** Comes before the database's connection is closed, which happens in `onApplicationShutdown`. */
  async onModuleDestroy(): Promise<void> {
    this.begun = true;
    await this.drain();
    this.custody.flush();
    for (const signal of SIGNALS) process.removeListener(signal, this.onSignal);
    process.removeListener('exit', this.onExit);
  }

  private async drain(): Promise<void> {
    await Promise.all(this.drains.map((drain) => drain()));
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    this.begun = true;
    // Any listener suppresses the default exit. Where nobody else handles the signal, ending is up to us.
    if (process.listenerCount(signal) === 0) {
      void this.drain().finally(() => process.kill(process.pid, signal));
    }
  };

  private readonly onExit = (): void => {
    this.custody.flush();
  };
}
