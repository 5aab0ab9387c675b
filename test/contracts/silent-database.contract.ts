import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TcpProxy } from '../../proofs/harness/tcp.proxy.js';
import { SignalStage } from '../support/signal.stage.js';
import type { StorageEngine } from '../support/storage.harness.js';

/** Long enough for the database to be lost before a token pair arrives, and for the pair to arrive in the drain. */
const TOKEN_MS = 500;
const POLL_MS = 100;
const DRAIN_MS = 3 * TOKEN_MS;

/** What closes on a server whose connections stand and that does not respond any more. */
export function silentDatabaseContract(engine: StorageEngine): void {
  describe(`a ${engine.name} that does not respond any more`, () => {
    let stage: SignalStage;
    let wire: TcpProxy;

    beforeAll(async () => {
      stage = await SignalStage.open(engine);
      wire = await TcpProxy.start({ port: Number(new URL(databaseUrl()).port) });
    });

    afterAll(async () => {
      await stage.clear();
      await wire.close();
      await stage.close();
    });

    function databaseUrl(): string {
      return stage.app.options.databaseUrl as string;
    }

    it('lets the application be closed and its process end, with the token pair in the journal', async () => {
      const [id] = (await stage.connect(1)) as [string];
      const refresh = { drainMs: DRAIN_MS, journalFolder: stage.journalFolder };
      const changes = { databaseUrl: wire.inFrontOf(databaseUrl()), events: { lookEveryMs: POLL_MS } };
      const host = await stage.start({ handling: 'none' }, refresh, changes);
      stage.simulator.configure({ delayMs: { token: TOKEN_MS } });
      await host.refresh([id]);
      await host.sent(1);
      wire.spoil({ timeoutMs: 'for ever' });
      // By then each task that polls the database waits for it.
      await sleep(3 * POLL_MS);
      await host.close();
      expect(await stage.endOf(host)).toBe('exit 0');
      expect(await stage.versions([id])).toEqual([1]);
      await stage.start({ handling: 'none' }, refresh);
      expect(await stage.versions([id])).toEqual([2]);
    });
  });
}
