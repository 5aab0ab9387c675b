import { RawNotion } from '../../test/support/raw-notion.js';
import { NotionSimulator, NotionSimulatorControl, SimulatorControlServer } from './index.js';

describe('NotionSimulatorControl', () => {
  let simulator: NotionSimulator;
  let server: SimulatorControlServer;
  let control: NotionSimulatorControl;
  let notion: RawNotion;

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
    server = await SimulatorControlServer.start(simulator, { token: 'let-me-in' });
    control = await NotionSimulatorControl.connect(server.url, 'let-me-in');
    notion = new RawNotion(simulator);
  });

  afterEach(() => Promise.all([server.close(), simulator.close()]));

  it('knows where the simulator is and its credentials', () => {
    expect([control.url, control.clientId, control.clientSecret]).toEqual([
      simulator.url,
      simulator.clientId,
      simulator.clientSecret,
    ]);
  });

  it('refuses other tokens, and verbs that are none', async () => {
    await expect(NotionSimulatorControl.connect(server.url, 'guess')).rejects.toThrow('control token');
    const headers = { authorization: 'Bearer let-me-in' };
    const body = JSON.stringify({ verb: 'toString', arguments: [] });
    const response = await fetch(server.url, { method: 'POST', headers, body });
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'There is no verb "toString".' },
    ]);
  });

  it('changes modes and faults', async () => {
    await control.configure({ rotation: 'grace' });
    expect(simulator.configuration.rotation).toBe('grace');
    const handle = await control.fail('api', { kind: 'status', status: 503 }, { times: 2 });
    const { accessToken } = await control.grant();
    expect((await notion.me(accessToken)).status).toBe(503);
    expect(await handle.hits()).toBe(1);
    await handle.clear();
    expect((await notion.me(accessToken)).status).toBe(200);
    await control.fail('api', { kind: 'drop_before' });
    await control.clearFaults();
    await control.fail('api', { kind: 'drop_before' });
    await control.reset();
    expect((await notion.me(accessToken)).status).toBe(200);
    expect(simulator.configuration.rotation).toBe('strict');
  });

  it('plays the person and the developer portal', async () => {
    await control.registerRedirectUri('http://localhost:1/callback');
    expect(await control.authorize()).toMatch(/^[0-9a-f-]{36}$/);
    const query = new URLSearchParams({
      client_id: control.clientId,
      redirect_uri: 'http://localhost:1/callback',
      response_type: 'code',
      owner: 'user',
    });
    const authorizeUrl = `${control.url}/v1/oauth/authorize?${query.toString()}`;
    expect(await control.allow(authorizeUrl, { workspace: 'Garden Club' })).toContain('?code=');
    expect(await control.deny(authorizeUrl)).toContain('?error=access_denied');
    const stored = await control.grant();
    await control.expireAccessToken(stored.botId);
    await control.expireAllAccessTokens();
    expect(await control.ledger.live(stored.botId)).toEqual({
      accessToken: null,
      refreshToken: stored.refreshToken,
    });
    await control.revokeGrant(stored.botId);
    expect(await control.ledger.isLive(stored.refreshToken!)).toBe(false);
    await control.rotateClientSecret('new');
    expect(simulator.clientSecret).toBe('new');
    await expect(control.revokeGrant('nobody')).rejects.toThrow('no grant with bot id nobody');
  });

  it('asks the ledger', async () => {
    const stored = await control.grant();
    const mark = await control.ledger.mark();
    await notion.me(stored.accessToken);
    await notion.refresh(stored.refreshToken);
    await notion.refresh(stored.refreshToken);
    await notion.introspect(stored.accessToken);
    await notion.revoke('ntn_unknown');
    const later = await control.ledger.mark();
    for (const counts of [control.ledger, control.ledger.since(mark)]) {
      expect(await counts.tokenRequests()).toBe(2);
      expect(await counts.refreshes(stored.botId)).toBe(2);
      expect(await counts.rotations()).toBe(1);
      expect(await counts.replaysOfSpentTokens()).toBe(1);
      expect(await counts.overlappingRefreshes()).toBe(0);
      expect(await counts.introspections()).toBe(1);
      expect(await counts.revocations()).toBe(1);
      expect(await counts.apiCalls({ status: 200, botId: stored.botId })).toBe(1);
    }
    expect(await control.ledger.since(later).apiCalls()).toBe(0);
    const [request] = await control.ledger.requests({ grantType: 'refresh_token' });
    expect(request).toMatchObject({ status: 200, receivedAt: expect.any(Date) });
    expect(await control.ledger.token(stored.refreshToken!)).toMatchObject({ status: 'spent' });
    expect(await control.ledger.token('nrt_unknown')).toBeUndefined();
    expect(await control.ledger.tokens({ status: 'live' })).toHaveLength(2);
  });
});
