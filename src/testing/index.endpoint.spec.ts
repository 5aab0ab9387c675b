import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from './notion-simulator.js';

describe("the simulator's index page", () => {
  let simulator: NotionSimulator;

  beforeEach(async () => {
    simulator = await NotionSimulator.start({ redirectUris: ['http://localhost:4100/app/notion/callback'] });
  });

  afterEach(() => simulator.close());

  const send = (form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
    fetch(simulator.url, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });
  const show = async () => (await fetch(simulator.url)).text();

  it('shows every variable an application needs, and where to connect while there is no grant', async () => {
    const page = await show();
    for (const variable of [
      `NOTION_API_BASE_URL=${simulator.url}`,
      `NOTION_CLIENT_ID=${simulator.clientId}`,
      `NOTION_CLIENT_SECRET=${simulator.clientSecret}`,
      'NOTION_REDIRECT_URIS=http://localhost:4100/app/notion/callback',
    ])
      expect(page).toContain(variable);
    expect(page).toContain('href="http://localhost:4100/app/notion/connect"');
  });

  it('lists the grants, without their tokens', async () => {
    const { botId, workspaceName, accessToken, refreshToken } = simulator.grant();
    const page = await show();
    for (const text of [botId, workspaceName]) expect(page).toContain(text);
    for (const secret of [accessToken, refreshToken!]) expect(page).not.toContain(secret);
  });

  it('expires and revokes one grant, or expires all', async () => {
    const grants = [simulator.grant(), simulator.grant(), simulator.grant()] as const;
    const bots = grants.map(({ botId }) => botId);
    const live = () => bots.map((botId) => simulator.ledger.live(botId).accessToken !== null);
    expect((await send({ action: 'expire', bot_id: bots[0]! })).status).toBe(303);
    expect(live()).toEqual([false, true, true]);
    await send({ action: 'revoke', bot_id: bots[1]! });
    expect(simulator.listGrants().map(({ isRevoked }) => isRevoked)).toEqual([false, true, false]);
    await send({ action: 'expire' });
    expect(live()).toEqual([false, false, false]);
  });

  it('says what is wrong with a form, and takes none of another site', async () => {
    const { botId } = simulator.grant();
    for (const form of [{ action: 'revoke' }, { action: 'mend' }, { action: 'expire', bot_id: 'nobody' }])
      expect((await send(form as Record<string, string>)).status).toBe(400);
    const foreign = await send({ action: 'revoke', bot_id: botId }, { 'sec-fetch-site': 'cross-site' });
    expect(foreign.status).toBe(403);
    expect(simulator.listGrants()).toMatchObject([{ botId, isRevoked: false }]);
  });
});
