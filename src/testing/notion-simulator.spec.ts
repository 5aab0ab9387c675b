import { APIErrorCode, Client, LogLevel } from '@notionhq/client';
import { RawNotion } from '../../test/support/raw-notion.js';
import { NotionSimulator, SAMPLE_PEOPLE, SAMPLE_WORKSPACES } from './index.js';

const REDIRECT_URI = 'http://localhost:3000/notion/callback';
const [STUDIO, GARDEN] = SAMPLE_WORKSPACES;

describe('NotionSimulator', () => {
  let simulator: NotionSimulator;
  let notion: RawNotion;

  beforeEach(async () => {
    simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
    notion = new RawNotion(simulator);
  });

  afterEach(() => simulator.close());

  describe('code exchange', () => {
    it('answers a code with a pair and everything Notion tells about the grant', async () => {
      const code = simulator.authorize({ workspace: 'Garden Club', person: 'Grace Gardener' });
      const { status, json } = await notion.exchange(code, REDIRECT_URI);
      expect(status).toBe(200);
      expect(json).toEqual({
        access_token: expect.stringMatching(/^ntn_[0-9]{11}[A-Za-z0-9]{35}$/),
        refresh_token: expect.stringMatching(/^nrt_[0-9]{11}[A-Za-z0-9]{34}$/),
        token_type: 'bearer',
        bot_id: expect.any(String),
        workspace_id: GARDEN!.id,
        workspace_name: 'Garden Club',
        workspace_icon: '🌻',
        owner: {
          type: 'user',
          user: expect.objectContaining({ id: SAMPLE_PEOPLE[1]!.id, name: 'Grace Gardener' }),
        },
        duplicated_template_id: null,
        request_id: expect.any(String),
      });
      expect(simulator.ledger.live(json.bot_id)).toEqual({
        accessToken: json.access_token,
        refreshToken: json.refresh_token,
      });
    });

    it('accepts a code once', async () => {
      const code = simulator.authorize();
      await notion.exchange(code, REDIRECT_URI);
      const second = await notion.exchange(code, REDIRECT_URI);
      expect([second.status, second.json.error]).toEqual([400, 'invalid_grant']);
    });

    it('compares the redirect URI byte for byte and leaves the code usable', async () => {
      const code = simulator.authorize();
      expect((await notion.exchange(code, `${REDIRECT_URI}/`)).json.error).toBe('invalid_grant');
      expect((await notion.exchange(code)).json.error).toBe('invalid_request');
      expect((await notion.exchange(code, REDIRECT_URI)).status).toBe(200);
    });

    it('refuses an unknown code and one that is too old', async () => {
      simulator.configure({ codeLifetimeMs: -1 });
      expect((await notion.exchange(simulator.authorize(), REDIRECT_URI)).json.error).toBe('invalid_grant');
      expect((await notion.exchange('no-such-code', REDIRECT_URI)).json.error).toBe('invalid_grant');
    });
  });

  describe('client checks', () => {
    it.each([
      ['a wrong secret', { authorization: `Basic ${Buffer.from('id:wrong').toString('base64')}` }],
      ['no Basic header', { authorization: '' }],
    ])('answers invalid_client for %s', async (_name, headers) => {
      const { status, json } = await notion.oauth('token', { grant_type: 'refresh_token' }, headers);
      expect([status, json]).toEqual([401, { error: 'invalid_client', request_id: expect.any(String) }]);
    });

    it('refuses credentials in the body', async () => {
      const body = { client_id: simulator.clientId, client_secret: simulator.clientSecret };
      const { json } = await notion.oauth('token', body, { authorization: '' });
      expect(json.error).toBe('invalid_client');
    });

    it('reads the secret as plain UTF-8', async () => {
      simulator.rotateClientSecret('päss:wörd +%');
      expect((await notion.refresh(simulator.grant().refreshToken)).status).toBe(200);
    });

    it('refuses the old secret once it was rotated', async () => {
      const old = Buffer.from(`${simulator.clientId}:${simulator.clientSecret}`).toString('base64');
      simulator.rotateClientSecret('another');
      const { status } = await notion.oauth('introspect', { token: 'x' }, { authorization: `Basic ${old}` });
      expect(status).toBe(401);
    });

    it('asks for JSON, for a known grant type, and for its parameters', async () => {
      const form = await notion.oauth('token', {}, { 'content-type': 'application/x-www-form-urlencoded' });
      expect(form.json.error).toBe('invalid_request');
      expect((await notion.oauth('token', {})).json.error).toBe('invalid_request');
      expect((await notion.oauth('token', { grant_type: 'password' })).json.error).toBe(
        'unsupported_grant_type',
      );
      expect((await notion.refresh(null)).json.error).toBe('invalid_request');
    });

    it('asks for the Notion-Version header unless told not to', async () => {
      const { accessToken } = simulator.grant();
      const bare = { authorization: `Bearer ${accessToken}` };
      const refused = await notion.send('GET', '/v1/users/me', undefined, bare);
      expect([refused.status, refused.json.code]).toEqual([400, 'missing_version']);
      simulator.configure({ requireVersionHeader: false });
      expect((await notion.send('GET', '/v1/users/me', undefined, bare)).status).toBe(200);
    });

    it('uses the documented error shape when told to', async () => {
      simulator.configure({ oauthErrorShape: 'api' });
      const { json } = await notion.refresh('nrt_unknown');
      expect(json).toMatchObject({
        object: 'error',
        status: 400,
        code: 'invalid_grant',
        message: expect.any(String),
      });
    });
  });

  describe('API calls', () => {
    it('serves the official client: who am I, and search over the pages ticked', async () => {
      const { accessToken, botId } = simulator.grant({ pages: ['Team handbook'] });
      const client = new Client({ auth: accessToken, baseUrl: simulator.url });
      const me = await client.users.me({});
      expect(me).toMatchObject({ id: botId, type: 'bot', bot: { workspace_name: STUDIO!.name } });
      const { results } = await client.search({});
      expect(results.map(({ id }) => id)).toEqual([STUDIO!.pages[2]!.id]);
    });

    it('pages through search results and filters them by title', async () => {
      const client = new Client({ auth: simulator.grant().accessToken, baseUrl: simulator.url });
      const first = await client.search({ page_size: 2 });
      const second = await client.search({ page_size: 2, start_cursor: first.next_cursor! });
      expect([first.results.length, first.has_more, second.results.length, second.has_more]).toEqual([
        2,
        true,
        1,
        false,
      ]);
      expect((await client.search({ query: 'ROADMAP' })).results).toHaveLength(1);
    });

    it('answers 404 object_not_found for a page that is not shared', async () => {
      const { accessToken } = simulator.grant({ pages: ['Team handbook'] });
      const client = new Client({ auth: accessToken, baseUrl: simulator.url, logLevel: LogLevel.ERROR });
      const [roadmap, , handbook] = STUDIO!.pages;
      await expect(client.pages.retrieve({ page_id: handbook!.id })).resolves.toMatchObject({
        object: 'page',
      });
      await expect(client.pages.retrieve({ page_id: roadmap!.id })).rejects.toMatchObject({
        code: APIErrorCode.ObjectNotFound,
      });
    });

    it('answers 401 unauthorized for a dead, foreign or missing token, as the official client expects', async () => {
      const { accessToken } = simulator.grant();
      simulator.expireAccessToken(accessToken);
      for (const auth of [accessToken, 'ntn_foreign', undefined]) {
        const client = new Client({ auth, baseUrl: simulator.url, logLevel: LogLevel.ERROR });
        await expect(client.users.me({})).rejects.toMatchObject({ code: APIErrorCode.Unauthorized });
      }
      const { headers, json } = await notion.me(accessToken);
      expect(json).toMatchObject({ message: 'API token is invalid.' });
      expect(headers.get('x-notion-request-id')).toBe(json.request_id);
      expect(headers.get('cf-ray')).toBeTruthy();
    });

    it('answers invalid_request_url for everything else', async () => {
      const { json } = await notion.call('GET', '/v1/nothing', simulator.grant().accessToken);
      expect(json.code).toBe('invalid_request_url');
    });

    it('answers on localhost too', async () => {
      const { port } = new URL(simulator.url);
      expect((await fetch(`http://localhost:${port}/v1/users/me`)).status).toBe(401);
    });
  });

  describe('test verbs', () => {
    it('lets a person disconnect: every token of the grant is dead', async () => {
      const { accessToken, refreshToken, botId } = simulator.grant();
      simulator.revokeGrant(botId);
      expect((await notion.me(accessToken)).status).toBe(401);
      expect((await notion.refresh(refreshToken)).json.error).toBe('invalid_grant');
      expect(simulator.ledger.live(botId)).toEqual({ accessToken: null, refreshToken: null });
    });

    it('forgets access tokens by value, by bot, or all; refresh tokens live on', () => {
      const [one, two, three] = [simulator.grant(), simulator.grant(), simulator.grant()];
      simulator.expireAccessToken(one.accessToken);
      simulator.expireAccessToken(two.botId);
      expect(simulator.ledger.isLive(three.accessToken)).toBe(true);
      simulator.expireAllAccessTokens();
      for (const { accessToken, refreshToken } of [one, two, three]) {
        expect(simulator.ledger.token(accessToken)?.status).toBe('expired');
        expect(simulator.ledger.isLive(refreshToken!)).toBe(true);
      }
      expect(() => {
        simulator.expireAccessToken('nobody');
      }).toThrow('no such access token');
    });

    it('mints a grant of its own for every call that names no person', () => {
      expect(simulator.grant().botId).not.toBe(simulator.grant().botId);
      const named = { person: 'Ada Keeper' };
      expect(simulator.grant(named).botId).toBe(simulator.grant(named).botId);
    });

    it('repeats its values for a seed and takes them from a factory', async () => {
      const [one, two] = [await NotionSimulator.start({ seed: 7 }), await NotionSimulator.start({ seed: 7 })];
      expect(one.grant()).toEqual(two.grant());
      const planted = await NotionSimulator.start({ tokenFactory: (kind, n) => `canary-${kind}-${n}` });
      expect(planted.grant()).toMatchObject({
        accessToken: 'canary-access-1',
        refreshToken: 'canary-refresh-2',
      });
      await Promise.all([one.close(), two.close(), planted.close()]);
    });
  });
});
