import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import type { Leftovers } from '../harness/leftovers.js';
import type { HealthOrder } from './health.process.js';

const PROGRAM = fileURLToPath(new URL('./health.process.js', import.meta.url));
const POLL_EVERY_MS = 50;

/** What one round of polling saw. */
export interface Seen {
  readonly beganMs: number;
  readonly atMs: number;
  readonly live: number;
  readonly ready: number;
  readonly state: string;
}

/** A replica with health routes, polled over HTTP as a container platform does, only more often. */
export class HealthReplica {
  readonly seen: Seen[] = [];
  private isPolling = true;
  private polling: Promise<void> = Promise.resolve();

  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
  ) {}

  static async start(options: NotionAuthOptions, leftovers: Leftovers): Promise<HealthReplica> {
    const child = fork(PROGRAM, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    leftovers.watch(child.pid!);
    child.on('error', () => undefined);
    child.send({ kind: 'start', options } satisfies HealthOrder);
    const [url] = (await once(child, 'message')) as [string];
    const replica = new HealthReplica(child, url);
    replica.polling = replica.poll();
    return replica;
  }

  refresh(authorizationId: string): void {
    this.child.send({ kind: 'refresh', authorizationId } satisfies HealthOrder, () => undefined);
  }

  /** How long until a round of polling is as wanted, from now; `null` when it is not within the time. */
  async until(isAsWanted: (seen: Seen) => boolean, withinMs: number): Promise<number | null> {
    const beganMs = performance.now();
    while (performance.now() - beganMs < withinMs) {
      const found = this.seen.find((seen) => seen.atMs >= beganMs && isAsWanted(seen));
      if (found !== undefined) return found.atMs - beganMs;
      await sleep(POLL_EVERY_MS);
    }
    return null;
  }

  /** When the last round was begun that was not as wanted, and when the first ended that was, since then. */
  around(isAsWanted: (seen: Seen) => boolean, sinceMs: number): [lastBeforeMs: number, firstMs: number] {
    const since = this.seen.filter(({ atMs }) => atMs >= sinceMs);
    const first = since.findIndex(isAsWanted);
    const lastBefore = since[first < 0 ? since.length - 1 : first - 1];
    return [lastBefore?.beganMs ?? sinceMs, since[first]?.atMs ?? Infinity];
  }

  terminate(): void {
    this.child.kill('SIGTERM');
  }

  async stop(): Promise<void> {
    this.isPolling = false;
    await this.polling;
    this.child.kill('SIGKILL');
  }

  private async poll(): Promise<void> {
    while (this.isPolling) {
      const beganMs = performance.now();
      const [live, ready, notion] = await Promise.all(
        ['live', 'ready', 'notion'].map((path) => this.ask(`/health/${path}`)),
      );
      const state = /"state":"(\w+)"/.exec(notion?.text ?? '')?.[1] ?? 'none';
      const statuses = { live: live?.status ?? 0, ready: ready?.status ?? 0 };
      this.seen.push({ beganMs, atMs: performance.now(), ...statuses, state });
      await sleep(POLL_EVERY_MS);
    }
  }

  private async ask(path: string): Promise<{ status: number; text: string }> {
    try {
      const answer = await fetch(this.url + path, { signal: AbortSignal.timeout(2_000) });
      return { status: answer.status, text: await answer.text() };
    } catch {
      return { status: 0, text: '' };
    }
  }
}
