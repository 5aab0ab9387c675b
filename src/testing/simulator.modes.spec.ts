import { RawNotion } from '../../test/support/raw-notion.js';
import { NotionSimulator, type SimulatedAuthorization } from './index.js';

describe('SimulatorModes', () => {
  let simulator: NotionSimulator;
  let notion: RawNotion;
  let stored: SimulatedAuthorization;

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
    notion = new RawNotion(simulator);
    stored = simulator.grant();
  });

  afterEach(() => simulator.close());

  describe('rotation', () => {
    it('strict: spends the refresh token and refuses it from then on; the successor lives', async () => {
      const { json: pair } = await notion.refresh(stored.refreshToken);
      const replay = await notion.refresh(stored.refreshToken);
      expect([replay.status, replay.json.error]).toEqual([400, 'invalid_grant']);
      expect(simulator.ledger.token(stored.refreshToken!)?.status).toBe('spent');
      expect(simulator.ledger.live(stored.botId)).toEqual({
        accessToken: pair.access_token,
        refreshToken: pair.refresh_token,
      });
    });

    it('grace: accepts the token used last again, and its first successor dies', async () => {
      simulator.configure({ rotation: 'grace' });
      const { json: lost } = await notion.refresh(stored.refreshToken);
      const { status, json: kept } = await notion.refresh(stored.refreshToken);
      expect(status).toBe(200);
      expect(simulator.ledger.isLive(lost.refresh_token)).toBe(false);
      expect(simulator.ledger.live(stored.botId).refreshToken).toBe(kept.refresh_token);
    });

    it('grace: refuses a token once its successor was used', async () => {
      simulator.configure({ rotation: 'grace' });
      const { json: second } = await notion.refresh(stored.refreshToken);
      await notion.refresh(second.refresh_token);
      expect((await notion.refresh(stored.refreshToken)).json.error).toBe('invalid_grant');
    });

    it('reuse_kills_family: a replay ends every token of the grant', async () => {
      simulator.configure({ rotation: 'reuse_kills_family' });
      const { json: pair } = await notion.refresh(stored.refreshToken);
      expect((await notion.refresh(stored.refreshToken)).json.error).toBe('invalid_grant');
      expect((await notion.refresh(pair.refresh_token)).json.error).toBe('invalid_grant');
      expect((await notion.me(pair.access_token)).status).toBe(401);
    });

    it('reuse_kills_family: a replay from before a re-authorization leaves the new family alone', async () => {
      simulator.configure({ rotation: 'reuse_kills_family' });
      await notion.refresh(stored.refreshToken);
      const again = simulator.grant({ person: stored.ownerUserId! });
      await notion.refresh(stored.refreshToken);
      expect(simulator.ledger.isLive(again.refreshToken!)).toBe(true);
    });
  });

  it.each([
    ['dies', 401],
    ['lives', 200],
  ] as const)(
    'oldAccessToken %s: the earlier access token gets %i after a refresh',
    async (oldAccessToken, status) => {
      simulator.configure({ oldAccessToken });
      await notion.refresh(stored.refreshToken);
      expect((await notion.me(stored.accessToken)).status).toBe(status);
    },
  );

  it('refreshTokens null: an exchange yields no refresh token', () => {
    simulator.configure({ refreshTokens: 'null' });
    expect(simulator.grant().refreshToken).toBeNull();
  });

  it.each(['null', 'omitted'] as const)(
    'refreshTokenOnRefresh %s: the answer has none, and the one presented lives on',
    async (refreshTokenOnRefresh) => {
      simulator.configure({ refreshTokenOnRefresh });
      const { json } = await notion.refresh(stored.refreshToken);
      expect('refresh_token' in json).toBe(refreshTokenOnRefresh === 'null');
      expect(json.refresh_token).toBeFalsy();
      expect((await notion.refresh(stored.refreshToken)).status).toBe(200);
    },
  );

  describe('re-authorization', () => {
    const again = () => simulator.grant({ person: stored.ownerUserId! });

    it('fresh_pair: mints anew for the same bot, and the old pair dies', async () => {
      const fresh = again();
      expect(fresh.botId).toBe(stored.botId);
      expect(fresh.accessToken).not.toBe(stored.accessToken);
      expect((await notion.me(stored.accessToken)).status).toBe(401);
    });

    it('oldPairOnReauthorization lives: both pairs work', async () => {
      simulator.configure({ oldPairOnReauthorization: 'lives' });
      expect((await notion.me(again().accessToken)).status).toBe(200);
      expect((await notion.refresh(stored.refreshToken)).status).toBe(200);
    });

    it('same_pair: returns the pair that is alive, and mints when there is none', () => {
      simulator.configure({ reauthorization: 'same_pair' });
      expect(again()).toEqual(stored);
      simulator.revokeGrant(stored.botId);
      expect(again().accessToken).not.toBe(stored.accessToken);
    });

    it('botId new_each_time: the same person gets another bot', () => {
      simulator.configure({ botId: 'new_each_time' });
      expect(again().botId).not.toBe(stored.botId);
    });

    it('replaces the pages shared', async () => {
      simulator.grant({ person: stored.ownerUserId!, pages: ['Meeting notes'] });
      const { accessToken } = simulator.ledger.live(stored.botId);
      const { json } = await notion.call('POST', '/v1/search', accessToken, {});
      expect(json['results']).toHaveLength(1);
    });
  });

  it('owner: names the person in full, by id only, or the workspace', async () => {
    const owners: unknown[] = [];
    for (const owner of ['person', 'partial', 'workspace'] as const) {
      simulator.configure({ owner });
      owners.push((await notion.refresh(simulator.grant().refreshToken)).json['owner']);
    }
    expect(owners).toEqual([
      { type: 'user', user: expect.objectContaining({ type: 'person', name: expect.any(String) }) },
      { type: 'user', user: { object: 'user', id: expect.any(String) } },
      { type: 'workspace', workspace: true },
    ]);
  });

  describe('introspection', () => {
    it('tells live tokens from dead and unknown ones', async () => {
      expect((await notion.introspect(stored.accessToken)).json).toMatchObject({
        active: true,
        iat: expect.any(Number),
        scope: expect.any(String),
      });
      expect((await notion.introspect(stored.refreshToken)).json['active']).toBe(true);
      simulator.revokeGrant(stored.botId);
      for (const token of [stored.accessToken, stored.refreshToken, 'ntn_unknown']) {
        expect((await notion.introspect(token)).json).toEqual({
          active: false,
          request_id: expect.any(String),
        });
      }
    });

    it('refuses refresh tokens, or dead ones, when told to', async () => {
      simulator.configure({ introspectRefreshTokens: 'error', introspectDeadTokens: 'error' });
      expect((await notion.introspect(stored.refreshToken)).json.error).toBe('invalid_request');
      expect((await notion.introspect('ntn_unknown')).json.error).toBe('invalid_grant');
      expect((await notion.introspect(null)).json.error).toBe('invalid_request');
    });
  });

  describe('revocation', () => {
    it.each([
      ['grant', [false, false, false]],
      ['pair', [false, false, true]],
      ['token', [false, true, true]],
    ] as const)('%s: ends what it says', async (revocation, alive) => {
      simulator.configure({ revocation, oldAccessToken: 'lives' });
      const { json: pair } = await notion.refresh(stored.refreshToken);
      const { status } = await notion.revoke(pair.access_token);
      expect(status).toBe(200);
      const tokens = [pair.access_token, pair.refresh_token, stored.accessToken];
      expect(tokens.map((token) => simulator.ledger.isLive(token))).toEqual(alive);
    });

    it('answers 200 for tokens that are dead or unknown', async () => {
      await notion.revoke(stored.accessToken);
      expect((await notion.revoke(stored.accessToken)).status).toBe(200);
      expect((await notion.revoke('ntn_unknown')).status).toBe(200);
    });
  });

  it('announces an expiry only when told to', async () => {
    const { json: silent } = await notion.refresh(stored.refreshToken);
    simulator.configure({ announceExpirySeconds: 3_600 });
    const { json: announced } = await notion.refresh(silent.refresh_token);
    expect([silent['expires_in'], announced['expires_in']]).toEqual([undefined, 3_600]);
  });

  it('lets access tokens expire by themselves when given a lifetime', async () => {
    simulator.configure({ accessTokenLifetimeMs: 0 });
    const { json } = await notion.refresh(stored.refreshToken);
    expect((await notion.me(json.access_token)).status).toBe(401);
    expect(simulator.ledger.token(json.access_token)?.status).toBe('expired');
  });

  it('delays answers, not the processing', async () => {
    simulator.configure({ delayMs: { token: 500 } });
    let isAnswered = false;
    const startedAt = performance.now();
    const answer = notion.refresh(stored.refreshToken).then(() => (isAnswered = true));
    while (simulator.ledger.rotations() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(isAnswered).toBe(false);
    await answer;
    expect(performance.now() - startedAt).toBeGreaterThan(490);
  });

  it('changes a part of the modes at once, and reset returns to those of the start', async () => {
    const other = await NotionSimulator.start({ modes: { rotation: 'grace', delayMs: { api: 1 } } });
    other.configure({ oldAccessToken: 'lives', delayMs: { token: 2 } });
    expect(other.configuration).toMatchObject({ rotation: 'grace', oldAccessToken: 'lives' });
    expect(other.configuration.delayMs).toMatchObject({ api: 1, token: 2 });
    other.configure({ rotation: 'strict' });
    other.reset();
    expect(other.configuration).toMatchObject({ rotation: 'grace', oldAccessToken: 'dies' });
    expect(other.configuration.delayMs.token).toBe(0);
    await other.close();
  });
});
