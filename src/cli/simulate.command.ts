import { once } from 'node:events';
import { environmentFor } from '../testing/index.endpoint.js';
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
    `The Notion simulator runs at ${simulator.url} until you press Ctrl+C. Its grants: open that address.`,
  );
  print.line('Put these lines into the .env of the application, with its own callback URL, and start it:');
  print.line();
  for (const variable of environmentFor(simulator, redirectUri ?? null)) print.line(variable);
  print.line();
  print.line('Expire every access token, or revoke a grant, from another terminal:');
  print.line();
  print.line(`curl -d action=expire ${simulator.url}`);
  print.line(`curl -d action=revoke -d bot_id=BOT_ID ${simulator.url}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await simulator.close();
}
