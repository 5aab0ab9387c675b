import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NotionSimulatorControl, type NotionSimulatorOptions } from 'nestjs-notion-auth/testing';
import type { Leftovers } from './leftovers.js';
import type { SimulatorAddress } from './simulator.process.js';

/** Enough that no replay of a long run is forgotten before the end. */
const KEPT_REQUESTS = 200_000;

/** Notion, simulated in a process of its own, with the control over it. */
export class SimulatedNotion {
  private constructor(
    private readonly child: ChildProcess,
    readonly control: NotionSimulatorControl,
  ) {}

  static async start(leftovers: Leftovers, options: NotionSimulatorOptions = {}): Promise<SimulatedNotion> {
    const child = fork(fileURLToPath(new URL('./simulator.process.js', import.meta.url)), {
      execArgv: ['--no-warnings'],
    });
    const pid = child.pid ?? 0;
    leftovers.watch(pid);
    child.once('exit', () => {
      leftovers.forget(pid);
    });
    child.send({ keptRequests: KEPT_REQUESTS, ...options });
    const [address] = (await once(child, 'message')) as [SimulatorAddress];
    const control = await NotionSimulatorControl.connect(address.controlUrl, address.token);
    const notion = new SimulatedNotion(child, control);
    leftovers.onEnd(() => notion.close());
    return notion;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.disconnect();
    await gone;
  }
}
