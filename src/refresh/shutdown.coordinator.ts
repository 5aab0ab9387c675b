import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type ShutdownSignal = (typeof SIGNALS)[number];

/** Two copies of this package in one process find the same coordinator here. */
const SHARED = Symbol.for('nestjs-notion-auth.shutdown.coordinator');
/** The default action ends the process at once, except as PID 1, for which the kernel ignores it. */
const DEFAULT_ACTION_MS = 100;

/** One instance of the module. */
export interface ShutdownMember {
  /** Completes and stores the refreshes in flight, within a time limit of its own. */
  drain(): Promise<void>;
  /** Called when the process exits. Synchronous. */
  saveWhatIsLeft(): void;
}

/**
 * Ends the process on SIGTERM and SIGINT where the application leaves that to Node, after the refreshes in flight are
 * stored (rule R20). One per process, for all instances of the module.
 *
 * Any listener suppresses Node's default action, so this one is installed only while there is no other. A signal that
 * the application handles never arrives here: not even for `once`, which Node removes before it calls the listener.
 */
export class ShutdownCoordinator {
  private readonly members = new Set<ShutdownMember>();
  private draining = false;
  private isReraising = false;

  /** The coordinator of this process. */
  static get shared(): ShutdownCoordinator {
    const holder = process as { [SHARED]?: ShutdownCoordinator };
    return (holder[SHARED] ??= new ShutdownCoordinator());
  }

  /** Whether a signal that only this coordinator handles has arrived: the process ends after the drain. */
  get isDraining(): boolean {
    return this.draining;
  }

  join(member: ShutdownMember): void {
    if (this.members.size === 0) this.watchProcess();
    this.members.add(member);
    this.arrangeAll();
  }

  /** After the last member has left, nothing of the coordinator is left on the process. */
  leave(member: ShutdownMember): void {
    if (!this.members.delete(member) || this.members.size > 0) return;
    process.off('newListener', this.onNewListener);
    process.off('removeListener', this.onRemoveListener);
    process.off('exit', this.onExit);
    this.arrangeAll();
  }

  private watchProcess(): void {
    process.on('newListener', this.onNewListener);
    process.on('removeListener', this.onRemoveListener);
    process.on('exit', this.onExit);
  }

  private arrangeAll(): void {
    for (const signal of SIGNALS) this.arrange(signal);
  }

  private arrange(signal: ShutdownSignal): void {
    const isInstalled = process.listeners(signal).includes(this.onSignal);
    const isNeeded = this.members.size > 0 && !this.isReraising && !this.isHandledByOthers(signal);
    if (isNeeded && !isInstalled) process.on(signal, this.onSignal);
    if (!isNeeded && isInstalled) process.off(signal, this.onSignal);
  }

  private isHandledByOthers(signal: ShutdownSignal): boolean {
    return process.listeners(signal).some((listener) => listener !== this.onSignal);
  }

  private async drainAndEnd(signal: ShutdownSignal): Promise<void> {
    await Promise.allSettled([...this.members].map((member) => member.drain()));
    this.isReraising = true;
    this.arrange(signal);
    // A listener that the application has added since receives the signal, and the application goes on.
    const isHandled = this.isHandledByOthers(signal);
    process.kill(process.pid, signal);
    if (!isHandled) {
      setTimeout(() => process.exit(128 + constants.signals[signal]), DEFAULT_ACTION_MS);
      return;
    }
    this.isReraising = false;
    this.draining = false;
    this.arrangeAll();
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    if (this.draining || !isShutdownSignal(signal) || this.isHandledByOthers(signal)) return;
    this.draining = true;
    void this.drainAndEnd(signal);
  };

  private readonly onNewListener = (event: string | symbol): void => {
    if (!isShutdownSignal(event)) return;
    // The event precedes the addition, and Node stops watching a signal as soon as it has no listener.
    queueMicrotask(() => {
      this.arrange(event);
    });
  };

  private readonly onRemoveListener = (event: string | symbol): void => {
    if (isShutdownSignal(event)) this.arrange(event);
  };

  private readonly onExit = (): void => {
    for (const member of this.members) member.saveWhatIsLeft();
  };
}

function isShutdownSignal(event: string | symbol): event is ShutdownSignal {
  return SIGNALS.some((signal) => signal === event);
}
