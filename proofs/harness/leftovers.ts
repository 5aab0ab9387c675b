import { rmSync } from 'node:fs';

type Cleanup = () => void | Promise<void>;

/** What a proof has started and must not leave behind, however it ends. */
export class Leftovers {
  private readonly cleanups: Cleanup[] = [];
  private readonly pids = new Set<number>();
  private readonly folders = new Set<string>();

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        void this.clear().finally(() => process.exit(1));
      });
    }
    process.once('exit', () => {
      this.endNow();
    });
  }

  /** Runs when the proof is over, in the reverse order of being added. */
  onEnd(cleanup: Cleanup): void {
    this.cleanups.push(cleanup);
  }

  /** A process to be killed if nothing else has ended it. */
  watch(pid: number): void {
    this.pids.add(pid);
  }

  /** That process has ended by itself; its number may belong to somebody else soon. */
  forget(pid: number): void {
    this.pids.delete(pid);
  }

  removeAtEnd(folder: string): void {
    this.folders.add(folder);
  }

  /** Never rejects: what could not be cleared is tried once more when this process exits. */
  async clear(): Promise<void> {
    for (let cleanup = this.cleanups.pop(); cleanup !== undefined; cleanup = this.cleanups.pop()) {
      try {
        await cleanup();
      } catch (error) {
        process.stderr.write(`  could not clear up: ${error instanceof Error ? error.message : 'unknown'}\n`);
      }
    }
  }

  private endNow(): void {
    for (const pid of this.pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    }
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }
}
