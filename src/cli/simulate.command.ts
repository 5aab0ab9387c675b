import { once } from 'node:events';
import { NotionSimulator } from '../testing/notion-simulator.js';
import type { Printer } from './printer.js';

export interface SimulateOptions {
  readonly port?: number;
  readonly file?: string;
  readonly redirectUri?: readonly string[];
}

/** The simulator's own credentials are printed: they open nothing but the simulator. */
export async function simulate(print: Printer, { port, file, redirectUri }: SimulateOptions): Promise<void> {
  const simulator = await NotionSimulator.start({
    ...(port === undefined ? {} : { port }),
    ...(file === undefined ? {} : { persistTo: file }),
    ...(redirectUri === undefined ? {} : { redirectUris: redirectUri }),
    clientSecret: 'simulated-client-secret',
  });
  print.line(
    `A stand-in for Notion at ${simulator.url}, until you press Ctrl+C. Start the application with:`,
  );
  print.line();
  print.line(`NOTION_API_BASE_URL=${simulator.url}`);
  print.line(`NOTION_CLIENT_ID=${simulator.clientId}`);
  print.line(`NOTION_CLIENT_SECRET=${simulator.clientSecret}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await simulator.close();
}
