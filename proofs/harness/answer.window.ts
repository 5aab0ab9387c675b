import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Secret } from 'nestjs-notion-auth';

interface Exchange {
  answeredMs: number | null;
}

/**
 * Measures the window in which a new pair exists in this process's memory alone: from the first byte of Notion's
 * answer (as undici's diagnostics tell it) until it is durable somewhere here.
 */
export class AnswerWindow {
  /** From the first byte of each answer. */
  readonly samplesMs: number[] = [];
  /** From the moment when the library had the pair in its hands: the part of it that is the library's own. */
  readonly parsedSamplesMs: number[] = [];
  private readonly current = new AsyncLocalStorage<Exchange>();
  private readonly exchanges = new WeakMap<object, Exchange>();
  private readonly open = new Map<string, { readonly answeredMs: number; readonly parsedMs: number }>();

  constructor() {
    subscribe('undici:request:create', (message) => {
      const exchange = this.current.getStore();
      if (exchange !== undefined) this.exchanges.set(requestOf(message), exchange);
    });
    subscribe('undici:request:headers', (message) => {
      const exchange = this.exchanges.get(requestOf(message));
      if (exchange !== undefined) exchange.answeredMs = performance.now();
    });
  }

  get pending(): number {
    return this.open.size;
  }

  /** Runs one exchange with Notion; when it brought a pair, its window is open until {@link AnswerWindow.close}. */
  async watch<Answer extends { readonly kind: string }>(
    exchange: () => Promise<Answer>,
    pairOf: (answer: Answer) => Secret | null,
  ): Promise<Answer> {
    const seen: Exchange = { answeredMs: null };
    const answer = await this.current.run(seen, exchange);
    const accessToken = pairOf(answer);
    const parsedMs = performance.now();
    const answeredMs = seen.answeredMs ?? parsedMs;
    if (accessToken !== null) this.open.set(accessToken.reveal(), { answeredMs, parsedMs });
    return answer;
  }

  /** The pair is durable now; only the first time counts. */
  close(accessToken: Secret): void {
    const since = this.open.get(accessToken.reveal());
    if (since === undefined) return;
    const nowMs = performance.now();
    this.samplesMs.push(nowMs - since.answeredMs);
    this.parsedSamplesMs.push(nowMs - since.parsedMs);
    this.open.delete(accessToken.reveal());
  }
}

function requestOf(message: unknown): object {
  return (message as { request: object }).request;
}
