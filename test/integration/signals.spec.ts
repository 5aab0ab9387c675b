import { cp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SignalStage } from '../support/signal.stage.js';

const ROOT = resolve(import.meta.dirname, '../..');
/** Long enough for a signal to arrive while a refresh is in flight. */
const TOKEN_MS = 500;

describe('a signal', () => {
  let stage: SignalStage;

  beforeAll(async () => {
    stage = await SignalStage.open();
  });

  afterEach(() => stage.clear());

  afterAll(() => stage.close());

  /** A request of the host and refreshes of each instance are in flight when the signal comes. */
  async function signalled(
    setup: Parameters<SignalStage['start']>[0],
    signal: NodeJS.Signals = 'SIGTERM',
  ): Promise<{ readonly end: string; readonly response: string; readonly versions: readonly number[] }> {
    const ids = await stage.connect(2);
    const host = await stage.start({ slowMs: 2 * TOKEN_MS, ...setup });
    stage.simulator.configure({ delayMs: { token: TOKEN_MS } });
    const { response } = await host.beginRequest();
    await host.refresh(ids.slice(0, 1), 0);
    await host.refresh(ids.slice(1), setup.modules === 2 ? 1 : 0);
    await host.sent(2);
    host.signal(signal);
    const end = await stage.endOf(host);
    return { end, response: await response, versions: await stage.versions(ids) };
  }

  it.each([
    ['on', 'exit 0'],
    ['once', 'SIGTERM'],
    ['late', 'exit 0'],
    ['hooks', 'SIGTERM'],
  ] as const)('belongs to a host that handles it (%s): it finishes its requests', async (handling, end) => {
    expect(await signalled({ handling })).toEqual({ end, response: 'finished', versions: [2, 2] });
  });

  it.each(['once', 'hooks'] as const)(
    'belongs to a host (%s) with two instances of the module',
    async (handling) => {
      const outcome = await signalled({ handling, modules: 2 });
      expect(outcome).toEqual({ end: 'SIGTERM', response: 'finished', versions: [2, 2] });
    },
  );

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'that nothing handles (%s) ends the process after the refreshes of every instance are stored',
    async (signal) => {
      const { end, versions } = await signalled({ handling: 'none', modules: 2 }, signal);
      expect({ end, versions }).toEqual({ end: signal, versions: [2, 2] });
    },
  );

  it('that nothing handles waits for both copies of the package that a process has loaded', async () => {
    // Below the project's folder, so that its imports are found.
    const copy = join(ROOT, 'build', `copy-${process.pid}`);
    await cp(join(ROOT, 'dist'), copy, { recursive: true });
    const secondCopy = pathToFileURL(join(copy, 'index.js')).href;
    const { end, versions } = await signalled({ handling: 'none', modules: 2, secondCopy });
    await rm(copy, { recursive: true });
    expect({ end, versions }).toEqual({ end: 'SIGTERM', versions: [2, 2] });
  });

  it('ends a process whose default action the kernel ignores, as that of PID 1, after the drain', async () => {
    const { end, versions } = await signalled({ handling: 'none', ignoresDefaultAction: true });
    expect({ end, versions }).toEqual({ end: 'exit 143', versions: [2, 2] });
  });

  it('that a host survives lets the module go on refreshing', async () => {
    const [first, second] = (await stage.connect(2)) as [string, string];
    const host = await stage.start({ handling: 'survives' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const noted = host.next('signal');
      host.signal(signal);
      await noted;
    }
    for (const authorizationId of [first, second]) {
      await host.refresh([authorizationId]);
      expect(await host.outcome(authorizationId)).toBe('renewed');
    }
  });

  it('goes to a listener that the host adds during the drain, and the module goes on refreshing', async () => {
    const [first, second] = (await stage.connect(2)) as [string, string];
    const host = await stage.start({ handling: 'none' });
    stage.simulator.configure({ delayMs: { token: 2 * TOKEN_MS } });
    await host.refresh([first]);
    await host.sent(1);
    host.signal('SIGTERM');
    // Once the host has carried out another command, the signal has arrived.
    await host.refresh([]);
    const noted = host.next('signal');
    await host.survive();
    expect(await host.outcome(first)).toBe('renewed');
    await noted;
    await host.refresh([second]);
    expect(await host.outcome(second)).toBe('renewed');
    expect(await stage.versions([first])).toEqual([2]);
  });
});
