import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DisconnectOutcome,
  KeyRotationReport,
  NotionAuthOptions,
  RefreshOutcome,
  RefreshTrigger,
  SweepOptions,
  SweepReport,
} from 'nestjs-notion-auth';
import type {
  CallsReport,
  LoadPlan,
  LoadReport,
  RefreshesReport,
  ReplicaCommand,
  ReplicaReply,
  ReplicaSetup,
  ReplicaStats,
  StallPhase,
  TransactionReport,
} from './replica.messages.js';
import type { KillOrder } from './steps.js';

/** How a replica ended. */
export interface Departure {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The parent's end of a replica. */
export class Replica {
  /** Resolves when the process is gone. */
  readonly gone: Promise<Departure>;
  private readonly waiting = new Map<number, (reply: ReplicaReply | null) => void>();
  private lastId = 0;
  private ended = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly again: () => Promise<Replica>,
  ) {
    child.on('message', (reply: ReplicaReply) => this.waiting.get(reply.id)?.(reply));
    // A message to a process that has just been killed is an answer that never comes, not an error of the parent.
    child.on('error', () => undefined);
    this.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.ended = true;
        for (const wake of this.waiting.values()) wake(null);
        resolve({ code, signal });
      });
    });
  }

  /** @param modulePath - The compiled `replica.process.js`. */
  static async start(
    modulePath: string | URL,
    options: NotionAuthOptions,
    setup?: ReplicaSetup,
  ): Promise<Replica> {
    const child = fork(modulePath, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--no-warnings'],
    });
    const replica = new Replica(child, () => Replica.start(modulePath, options, setup));
    await replica.ask({ kind: 'start', options, setup });
    return replica;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isAlive(): boolean {
    return !this.ended;
  }

  call(authorizationId: string, count: number): Promise<CallsReport> {
    return this.ask({ kind: 'call', authorizationId, count }) as Promise<CallsReport>;
  }

  askTokens(authorizationId: string, count: number): Promise<CallsReport> {
    return this.ask({ kind: 'tokens', authorizationId, count }) as Promise<CallsReport>;
  }

  /** Rejects when the replica ends before it answers. */
  refresh(authorizationId: string, seenVersion?: number, trigger?: RefreshTrigger): Promise<RefreshOutcome> {
    return this.ask({ kind: 'refresh', authorizationId, seenVersion, trigger }) as Promise<RefreshOutcome>;
  }

  refreshAll(authorizationIds: readonly string[], trigger?: RefreshTrigger): Promise<RefreshesReport> {
    return this.ask({ kind: 'refreshAll', authorizationIds, trigger }) as Promise<RefreshesReport>;
  }

  sweep(options: SweepOptions): Promise<SweepReport> {
    return this.ask({ kind: 'sweep', options }) as Promise<SweepReport>;
  }

  /** Rejects when the replica ends before it is done, as it does after `killAfter` batches. */
  rotateKeys(batchSize: number, killAfter: number | null = null): Promise<KeyRotationReport> {
    return this.ask({ kind: 'rotateKeys', batchSize, killAfter }) as Promise<KeyRotationReport>;
  }

  async startLoad(plan: LoadPlan): Promise<void> {
    await this.ask({ kind: 'startLoad', plan });
  }

  /** What the load has done so far. */
  loadSoFar(): Promise<LoadReport> {
    return this.ask({ kind: 'load', stop: false }) as Promise<LoadReport>;
  }

  /** Resolves when what the load had begun is over. */
  stopLoad(): Promise<LoadReport> {
    return this.ask({ kind: 'load', stop: true }) as Promise<LoadReport>;
  }

  /** For watched replicas: the process kills itself when it next reaches the step. */
  async arm(order: KillOrder | null): Promise<void> {
    await this.ask({ kind: 'arm', order });
  }

  /** Blocks the replica's event loop; resolves when it runs again. */
  async stall(phase: StallPhase, ms: number): Promise<void> {
    await this.ask({ kind: 'stall', phase, ms });
  }

  stats(): Promise<ReplicaStats> {
    return this.ask({ kind: 'stats' }) as Promise<ReplicaStats>;
  }

  hostQueries(forMs: number, everyMs: number): Promise<number[]> {
    return this.ask({ kind: 'hostQueries', forMs, everyMs }) as Promise<number[]>;
  }

  refreshInTransactions(authorizationIds: readonly string[], waitMs: number): Promise<TransactionReport> {
    return this.ask({
      kind: 'refreshInTransactions',
      authorizationIds,
      waitMs,
    }) as Promise<TransactionReport>;
  }

  /** Completes a connect with a code of Notion's; answers `connected` or `reconnected`. */
  reconnect(authorizationId: string, ownerId: string, code: string): Promise<string> {
    return this.ask({ kind: 'reconnect', authorizationId, ownerId, code }) as Promise<string>;
  }

  /** Answers how many rows of the host's are left, of what it took back. */
  hostRollbacks(count: number): Promise<number> {
    return this.ask({ kind: 'hostRollbacks', count }) as Promise<number>;
  }

  disconnect(authorizationId: string, ownerId: string): Promise<DisconnectOutcome> {
    return this.ask({ kind: 'disconnect', authorizationId, ownerId }) as Promise<DisconnectOutcome>;
  }

  /** Sends a signal; SIGKILL wants {@link Replica.gone} awaited. */
  signal(signal: NodeJS.Signals): void {
    if (this.isAlive) this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.gone;
  }

  /**
   * SIGTERM, as an orchestrator sends it, and SIGKILL when the process is not gone after `limitMs`. Answers how long
   * it took to go, in milliseconds.
   */
  async terminate(limitMs = 30_000): Promise<Departure & { readonly tookMs: number }> {
    const startedMs = performance.now();
    this.signal('SIGTERM');
    const lastWord = setTimeout(() => {
      this.signal('SIGKILL');
    }, limitMs);
    const departure = await this.gone;
    clearTimeout(lastWord);
    return { ...departure, tookMs: performance.now() - startedMs };
  }

  /** SIGSTOP, and SIGCONT so many milliseconds later. */
  async pause(ms: number): Promise<void> {
    this.signal('SIGSTOP');
    await sleep(ms);
    this.signal('SIGCONT');
  }

  /** Another process with the same options (and so the same journal folder); this one must be gone. */
  async restart(): Promise<Replica> {
    await this.gone;
    return this.again();
  }

  /** Closes the application, then the process. */
  async stop(): Promise<void> {
    if (!this.isAlive) return;
    await this.ask({ kind: 'stop' });
    this.child.disconnect();
    await this.gone;
  }

  private ask(command: ReplicaCommand): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      if (this.ended) {
        reject(new ReplicaGoneError());
        return;
      }
      this.waiting.set(id, (reply) => {
        this.waiting.delete(id);
        if (reply === null) reject(new ReplicaGoneError());
        else if ('error' in reply) reject(new Error(`The replica failed: ${reply.error}`));
        else resolve(reply.result);
      });
      this.child.send({ id, command }, () => undefined);
    });
  }
}

/** The process ended before it answered: what came of the question is not known. */
export class ReplicaGoneError extends Error {
  constructor() {
    super('The replica ended before it answered.');
  }
}
