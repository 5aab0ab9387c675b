import { RawNotion } from '../../test/support/raw-notion.js';
import { NotionSimulator, type SimulatedAuthorization } from './index.js';

describe('NotionLedger', () => {
  let simulator: NotionSimulator;
  let notion: RawNotion;
  let stored: SimulatedAuthorization;

  beforeEach(async () => {
    simulator = await NotionSimulator.start({ keptRequests: 10 });
    notion = new RawNotion(simulator);
    stored = simulator.grant();
  });

  afterEach(() => simulator.close());

  it('tells who issued a token and who ended it', async () => {
    const { json } = await notion.refresh(stored.refreshToken);
    const [request] = simulator.ledger.requests();
    expect(simulator.ledger.token(stored.refreshToken!)).toMatchObject({
      kind: 'refresh',
      generation: 1,
      status: 'spent',
      issuedBy: null,
      endedBy: request!.number,
    });
    expect(simulator.ledger.token(json.access_token)).toMatchObject({
      generation: 2,
      issuedBy: request!.number,
    });
    expect(simulator.ledger.tokens({ botId: stored.botId })).toHaveLength(4);
    expect(simulator.ledger.tokens((token) => token.status === 'live')).toHaveLength(2);
  });

  it('counts replays, and refreshes that overlap with the same token', async () => {
    simulator.configure({ delayMs: { token: 30 } });
    const [one, two] = await Promise.all([
      notion.refresh(stored.refreshToken),
      notion.refresh(stored.refreshToken),
    ]);
    expect([one.status, two.status].sort()).toEqual([200, 400]);
    const { ledger } = simulator;
    expect([ledger.overlappingRefreshes(), ledger.replaysOfSpentTokens(), ledger.refreshes()]).toEqual([
      1, 1, 2,
    ]);
    await notion.refresh(stored.refreshToken);
    expect([ledger.overlappingRefreshes(), ledger.replaysOfSpentTokens()]).toEqual([1, 2]);
  });

  it('counts refreshes of different tokens at once as no overlap', async () => {
    simulator.configure({ delayMs: { token: 30 } });
    await Promise.all([notion.refresh(stored.refreshToken), notion.refresh(simulator.grant().refreshToken)]);
    expect(simulator.ledger.overlappingRefreshes()).toBe(0);
  });

  it('counts by bot and by status, dead tokens included', async () => {
    const other = simulator.grant();
    simulator.expireAccessToken(other.botId);
    await notion.me(stored.accessToken);
    await notion.me(stored.accessToken);
    await notion.me(other.accessToken);
    await notion.me('ntn_unknown');
    const { ledger } = simulator;
    expect(ledger.apiCalls()).toBe(4);
    expect(ledger.apiCalls({ status: 401 })).toBe(2);
    expect(ledger.apiCalls({ botId: other.botId })).toBe(1);
    expect(ledger.apiCalls({ botId: stored.botId, status: 401 })).toBe(0);
  });

  it('counts each OAuth endpoint, exchanges under the bot they made', async () => {
    const code = simulator.authorize({ redirectUri: 'https://app.example/callback' });
    const { json } = await notion.exchange(code, 'https://app.example/callback');
    await notion.refresh(json.refresh_token);
    await notion.introspect(stored.accessToken);
    await notion.revoke(stored.accessToken);
    const { ledger } = simulator;
    expect([
      ledger.tokenRequests(),
      ledger.refreshes(),
      ledger.introspections(),
      ledger.revocations(),
    ]).toEqual([2, 1, 1, 1]);
    expect(ledger.tokenRequests(json.bot_id)).toBe(2);
    expect(ledger.tokenRequests(stored.botId)).toBe(0);
  });

  it('counts from a mark on, also in a mark that went through JSON', async () => {
    await notion.me(stored.accessToken);
    const { json } = await notion.refresh(stored.refreshToken);
    const mark = simulator.ledger.mark();
    await notion.me(json.access_token);
    for (const since of [
      simulator.ledger.since(mark),
      simulator.ledger.since(JSON.parse(JSON.stringify(mark))),
    ]) {
      expect(since.refreshes()).toBe(0);
      expect(since.apiCalls({ botId: stored.botId, status: 200 })).toBe(1);
      expect(since.requests().map(({ path }) => path)).toEqual(['/v1/users/me']);
    }
  });

  it('keeps exact counts but only the last requests, OAuth and API apart', async () => {
    await notion.refresh(stored.refreshToken);
    const { accessToken } = simulator.ledger.live(stored.botId);
    for (let call = 0; call < 25; call += 1) await notion.me(accessToken);
    expect(simulator.ledger.apiCalls()).toBe(25);
    const numbers = simulator.ledger.requests().map(({ number }) => number);
    expect(numbers).toEqual([1, ...Array.from({ length: 10 }, (_, index) => index + 17)]);
  });

  it('tells which connection carried a request', async () => {
    await notion.me(stored.accessToken);
    const [first] = simulator.ledger.requests();
    expect(first).toMatchObject({
      connection: 1,
      method: 'GET',
      endpoint: 'api',
      botId: stored.botId,
      generation: 1,
    });
    expect(first!.receivedAt).toBeInstanceOf(Date);
  });

  it('leaves a browser asking for an icon out of the API calls', async () => {
    expect((await notion.send('GET', '/favicon.ico', undefined, {})).status).toBe(404);
    expect(simulator.ledger.apiCalls()).toBe(0);
  });
});
