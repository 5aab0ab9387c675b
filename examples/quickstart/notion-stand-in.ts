import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { NotionSimulator } from 'nestjs-notion-auth/testing';

/** What reached Notion on behalf of one workspace, from the simulator's ledger. */
export interface NotionFigures {
  readonly calls: number;
  readonly refusedWith401: number;
  readonly refreshes: number;
}

/** The simulator, or nobody when the quickstart talks to the real Notion. */
@Injectable()
export class NotionStandIn implements OnApplicationShutdown {
  constructor(private readonly simulator: NotionSimulator | null) {}

  get isPresent(): boolean {
    return this.simulator !== null;
  }

  /** Counts from now on; the real Notion shows nobody its books, so then there is nothing to count. */
  startCounting(botId: string): () => NotionFigures | null {
    if (this.simulator === null) return () => null;
    const { ledger } = this.simulator;
    const mark = ledger.mark();
    return () => {
      const since = ledger.since(mark);
      return {
        calls: since.apiCalls({ botId }),
        refusedWith401: since.apiCalls({ botId, status: 401 }),
        refreshes: since.refreshes(botId),
      };
    };
  }

  forgetAccessToken(botId: string): void {
    this.simulator?.expireAccessToken(botId);
  }

  revoke(botId: string): void {
    this.simulator?.revokeGrant(botId);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.simulator?.close();
  }
}
