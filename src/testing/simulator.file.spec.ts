import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawNotion } from '../../test/support/raw-notion.js';
import { NotionSimulator } from './index.js';

describe('a simulator that persists', () => {
  let folder: string;
  let persistTo: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'notion-simulator-'));
    persistTo = join(folder, 'data', 'simulator.json');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('keeps the connection, grants and tokens over a restart, in a file for its owner only', async () => {
    const first = await NotionSimulator.start({ persistTo });
    const stored = first.grant();
    const { json: pair } = await new RawNotion(first).refresh(stored.refreshToken);
    await first.close();
    expect(statSync(persistTo).mode & 0o777).toBe(0o600);

    const second = await NotionSimulator.start({ persistTo });
    const notion = new RawNotion(second);
    expect([second.clientId, second.clientSecret]).toEqual([first.clientId, first.clientSecret]);
    expect((await notion.me(pair.access_token)).json).toMatchObject({ id: stored.botId });
    expect((await notion.refresh(stored.refreshToken)).json.error).toBe('invalid_grant');
    expect((await notion.refresh(pair.refresh_token)).status).toBe(200);
    expect(second.grant({ person: stored.ownerUserId! }).botId).toBe(stored.botId);
    await second.close();
  });

  it('has saved a pair before the answer leaves, so that a kill loses nothing', async () => {
    const killed = await NotionSimulator.start({ persistTo });
    const stored = killed.grant();
    killed.fail('token', { kind: 'delay', ms: 60_000 });
    void new RawNotion(killed).refresh(stored.refreshToken).catch(() => undefined);
    while (killed.ledger.rotations() === 0) await new Promise((resolve) => setTimeout(resolve, 2));

    const next = await NotionSimulator.start({ persistTo });
    expect(next.ledger.token(stored.refreshToken!)?.status).toBe('spent');
    await Promise.all([killed.close(), next.close()]);
  });

  it('names a file that it cannot read', async () => {
    persistTo = join(folder, 'broken.json');
    writeFileSync(persistTo, '{');
    await expect(NotionSimulator.start({ persistTo })).rejects.toThrow(persistTo);
  });
});
