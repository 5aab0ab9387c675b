import { RawNotion, type RawAnswer } from '../../test/support/raw-notion.js';
import { NotionSimulator, SAMPLE_PEOPLE, SAMPLE_WORKSPACES, UnusableAuthorizeRequest } from './index.js';

const REDIRECT_URI = 'http://localhost:3000/notion/callback?tenant=a%20b';
const [STUDIO, GARDEN] = SAMPLE_WORKSPACES;

describe('the consent page', () => {
  let simulator: NotionSimulator;
  let notion: RawNotion;

  beforeEach(async () => {
    simulator = await NotionSimulator.start({
      redirectUris: [REDIRECT_URI],
      connectionName: '<b>Notes</b> & more',
    });
    notion = new RawNotion(simulator);
  });

  afterEach(() => simulator.close());

  const request = (changes: Readonly<Record<string, string | undefined>> = {}): URLSearchParams => {
    const wanted = {
      client_id: simulator.clientId,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      owner: 'user',
      state: 'st"ate&',
      ...changes,
    };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries<string | undefined>(wanted)) {
      if (value !== undefined) query.append(name, value);
    }
    return query;
  };
  const open = (query: URLSearchParams): Promise<RawAnswer> =>
    notion.send('GET', `/v1/oauth/authorize?${query.toString()}`, undefined, {});
  const submit = (
    query: URLSearchParams,
    fields: readonly (readonly [string, string])[],
  ): Promise<RawAnswer> => {
    for (const [name, value] of fields) query.append(name, value);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return notion.send('POST', '/v1/oauth/authorize', query.toString(), headers);
  };

  it('offers every workspace with its pages, escapes what it shows, and carries the request on', async () => {
    const { status, text, headers } = await open(request());
    expect(status).toBe(200);
    for (const { name, pages } of SAMPLE_WORKSPACES) {
      expect(text).toContain(name);
      for (const { title } of pages) expect(text).toContain(title);
    }
    expect(text).toContain('&lt;b&gt;Notes&lt;/b&gt; &amp; more');
    expect(text).not.toContain('<b>Notes');
    expect(text).toContain('name="state" value="st&quot;ate&amp;"');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('form-action');
  });

  it('Allow: 303 to the redirect URI as sent, with code and state; only ticked pages of that workspace', async () => {
    const { status, headers } = await submit(request(), [
      ['decision', 'allow'],
      ['workspace', GARDEN!.id],
      ['person', SAMPLE_PEOPLE[1]!.id],
      ['page', GARDEN!.pages[1]!.id],
      ['page', STUDIO!.pages[0]!.id],
    ]);
    const location = headers.get('location')!;
    expect(status).toBe(303);
    expect(location.startsWith(`${REDIRECT_URI}&code=`)).toBe(true);
    const callback = new URL(location).searchParams;
    expect(callback.get('state')).toBe('st"ate&');
    const { json: pair } = await notion.exchange(callback.get('code')!, REDIRECT_URI);
    expect(pair).toMatchObject({ workspace_id: GARDEN!.id, owner: { user: { id: SAMPLE_PEOPLE[1]!.id } } });
    const { json: found } = await notion.call('POST', '/v1/search', pair.access_token, {});
    expect(found['results']).toEqual([expect.objectContaining({ id: GARDEN!.pages[1]!.id })]);
  });

  it('grants nothing before the code is exchanged', async () => {
    await submit(request(), [['decision', 'allow']]);
    expect(simulator.ledger.tokens()).toEqual([]);
  });

  it.each([
    ['x y', 'error=access_denied&state=x+y'],
    [undefined, 'error=access_denied&state='],
  ])('Cancel with state %p: access_denied, and state even when it is empty', async (state, query) => {
    const { status, headers } = await submit(request({ state }), [['decision', 'cancel']]);
    expect([status, headers.get('location')]).toEqual([303, `${REDIRECT_URI}&${query}`]);
  });

  it.each([
    ['an unregistered redirect URI', { redirect_uri: `${REDIRECT_URI}/` }, 'Missing or invalid redirect_uri'],
    ['no redirect URI', { redirect_uri: undefined }, 'Missing or invalid redirect_uri'],
    ['an unknown client', { client_id: 'other' }, 'Missing or invalid client_id'],
  ])('%s: a page of its own, and never a redirect', async (_name, changes, message) => {
    for (const answer of [
      await open(request(changes)),
      await submit(request(changes), [['decision', 'allow']]),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.text).toContain(message);
      expect(answer.headers.get('location')).toBeNull();
    }
  });

  it.each([
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ owner: undefined }, 'invalid_request'],
  ])('reports %j to the redirect URI', async (changes, error) => {
    const { headers } = await open(request(changes));
    expect(new URL(headers.get('location')!).searchParams.get('error')).toBe(error);
  });

  it('accepts any redirect URI until one is registered', async () => {
    const open = await NotionSimulator.start();
    const authorizeUrl = (uri: string): string =>
      `${open.url}/v1/oauth/authorize?client_id=${open.clientId}&redirect_uri=${uri}&response_type=code&owner=user`;
    expect(open.allow(authorizeUrl('http://localhost:1/a'))).toContain('http://localhost:1/a?code=');
    open.registerRedirectUri('http://localhost:1/b');
    expect(() => open.allow(authorizeUrl('http://localhost:1/a'))).toThrow(UnusableAuthorizeRequest);
    expect(open.allow(authorizeUrl('http://localhost:1/b'))).toContain('?code=');
    await open.close();
  });

  it('can be decided without a browser', async () => {
    const url = `${simulator.url}/v1/oauth/authorize?${request().toString()}`;
    expect(new URL(simulator.deny(url)).searchParams.get('error')).toBe('access_denied');
    const callback = new URL(simulator.allow(url, { workspace: 'Garden Club' }));
    const { json } = await notion.exchange(callback.searchParams.get('code')!, REDIRECT_URI);
    expect(json['workspace_name']).toBe('Garden Club');
  });
});
