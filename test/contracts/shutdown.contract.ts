import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SignalStage } from '../support/signal.stage.js';
import type { StorageEngine } from '../support/storage.harness.js';

/** Longer than the test: Notion hangs. */
const NEVER_MS = 600_000;
const DRAIN_MS = 300;

export interface ShutdownEngine extends StorageEngine {
  /** Statements after which no token pair can be stored, and those that undo them. */
  readonly refuse: readonly string[];
  readonly allow: readonly string[];
  /** The module uses a DataSource that outlives the application. */
  readonly sharesDataSource: boolean;
}

/** What a closed application leaves behind: nothing that holds the process, and nothing that goes on trying. */
export function shutdownContract(engine: ShutdownEngine): void {
  describe(`a closed application on ${engine.name}`, () => {
    const { sharesDataSource } = engine;
    let stage: SignalStage;

    beforeAll(async () => {
      stage = await SignalStage.open(engine);
    });

    afterEach(() => stage.clear());

    afterAll(() => stage.close());

    it('leaves its process free to end while Notion hangs, and sends Notion nothing more', async () => {
      const [refreshed, called] = (await stage.connect(2)) as [string, string];
      const host = await stage.start({ handling: 'none' }, { drainMs: DRAIN_MS });
      stage.simulator.configure({ delayMs: { token: NEVER_MS, api: NEVER_MS } });
      await host.call(called);
      await host.refresh([refreshed]);
      await host.sent(2);
      await host.close();
      const mark = stage.simulator.ledger.mark();
      expect(await stage.endOf(host)).toBe('exit 0');
      expect(stage.simulator.ledger.since(mark).requests()).toEqual([]);
    });

    it.each([
      ['in its journal', true],
      ['in the log', false],
    ])('stops trying to store a token pair, and leaves it %s', async (_place, journals) => {
      const [id] = (await stage.connect(1)) as [string];
      const refresh = { drainMs: DRAIN_MS, ...(journals ? { journalFolder: stage.journalFolder } : {}) };
      const host = await stage.start({ handling: 'none', sharesDataSource }, refresh);
      await execute(engine.refuse);
      const failed = host.next('logged');
      await host.refresh([id]);
      expect(await failed).toMatchObject({ line: expect.stringContaining('store failed, trying again') });
      await host.close();
      expect(await stage.endOf(host)).toBe('exit 0');
      await execute(engine.allow);
      expect(host.reports.filter(({ kind }) => kind === 'lateStatement')).toEqual([]);
      expect(host.errors.filter((line) => line.includes('token pair not saved'))).toHaveLength(
        journals ? 0 : 1,
      );
      expect(await stage.versions([id])).toEqual([1]);

      const next = await stage.start({ handling: 'none' }, refresh);
      expect(await stage.versions([id])).toEqual([journals ? 2 : 1]);
      await next.close();
      expect(await stage.endOf(next)).toBe('exit 0');
    });

    async function execute(statements: readonly string[]): Promise<void> {
      for (const statement of statements) await stage.app.database.dataSource.query(statement);
    }
  });
}
