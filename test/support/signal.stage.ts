import { NotionSimulator } from 'nestjs-notion-auth/testing';
import type { NotionAuthOptions, RefreshOptions } from 'nestjs-notion-auth';
import type { SignalHostSetup } from '../../proofs/signals/signal.host.messages.js';
import { SignalHost } from '../../proofs/signals/signal.host.js';
import { databaseFor, NotionApp } from './notion-app.js';
import { SIGNAL_PROGRAM } from './signal.program.js';
import { sqlite, temporaryFolder, type StorageEngine } from './storage.harness.js';

/** Longer than any bound under test, so that a process that does not end is noticed and not waited for. */
const LONGEST_END_MS = 40_000;

/** Notion, a database and an application to look into it, beside hosts in processes of their own. */
export class SignalStage {
  private readonly hosts: SignalHost[] = [];

  private constructor(
    readonly simulator: NotionSimulator,
    /** An application in this process, on the same database. */
    readonly app: NotionApp,
    readonly journalFolder: string,
    private readonly drops: readonly (() => Promise<void>)[],
  ) {}

  static async open(engine: StorageEngine = sqlite): Promise<SignalStage> {
    const simulator = await NotionSimulator.start();
    const storage = await databaseFor(engine);
    const app = await NotionApp.start(simulator, storage.options);
    const journal = await temporaryFolder();
    return new SignalStage(simulator, app, journal.path, [storage.drop, journal.remove]);
  }

  /** Stored authorizations, each of another person. */
  async connect(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < count; at += 1) ids.push((await this.app.keep(this.simulator.grant())).id);
    return ids;
  }

  async versions(ids: readonly string[]): Promise<number[]> {
    return Promise.all(ids.map(async (id) => (await this.app.find(id)).version));
  }

  async start(
    setup: Omit<SignalHostSetup, 'options'>,
    refresh: RefreshOptions = {},
    changes: Partial<NotionAuthOptions> = {},
  ): Promise<SignalHost> {
    const options = { ...this.app.options, refresh, ...changes };
    const host = await SignalHost.start(SIGNAL_PROGRAM, { ...setup, options });
    this.hosts.push(host);
    return host;
  }

  /** How the host ended, without its request or refreshes. */
  async endOf(host: SignalHost): Promise<string> {
    const { code, signal, isKilled } = await host.end(LONGEST_END_MS);
    return isKilled ? 'does not end' : (signal ?? `exit ${code}`);
  }

  /** Between tests: no host outlives its test. */
  async clear(): Promise<void> {
    this.simulator.clearFaults();
    this.simulator.configure({ delayMs: { token: 0, api: 0 } });
    for (const host of this.hosts.splice(0)) await host.end(0);
  }

  async close(): Promise<void> {
    await this.app.close();
    for (const drop of this.drops) await drop();
    await this.simulator.close();
  }
}
