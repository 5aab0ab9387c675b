import { randomBytes } from 'node:crypto';
import {
  NotionSimulator,
  SimulatorControlServer,
  type NotionSimulatorOptions,
} from 'nestjs-notion-auth/testing';

/** Where the parent finds the simulator. */
export interface SimulatorAddress {
  readonly controlUrl: string;
  readonly token: string;
}

// Notion in a process of its own: what happens to the replicas' processes does not happen to it.
process.once('message', (options: NotionSimulatorOptions) => {
  void serve(options);
});
process.on('disconnect', () => process.exit(0));

async function serve(options: NotionSimulatorOptions): Promise<void> {
  const simulator = await NotionSimulator.start(options);
  const token = randomBytes(24).toString('base64url');
  const control = await SimulatorControlServer.start(simulator, { token });
  const address: SimulatorAddress = { controlUrl: control.url, token };
  process.send?.(address);
}
