import type { NotionSimulator } from 'nestjs-notion-auth/testing';

/** The fields of Notion's answers that tests look at. */
interface RawBody {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly bot_id: string;
  readonly request_id: string;
  readonly error?: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; an empty object when it is none. */
  readonly json: RawBody;
}

/** Plain HTTP requests to a simulator, without any of the library under test. */
export class RawNotion {
  constructor(
    private readonly simulator: NotionSimulator,
    private readonly version = '2026-03-11',
  ) {}

  refresh(refreshToken: string | null): Promise<RawAnswer> {
    return this.oauth('token', { grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  exchange(code: string, redirectUri?: string): Promise<RawAnswer> {
    return this.oauth('token', { grant_type: 'authorization_code', code, redirect_uri: redirectUri });
  }

  introspect(token: string | null): Promise<RawAnswer> {
    return this.oauth('introspect', { token });
  }

  revoke(token: string): Promise<RawAnswer> {
    return this.oauth('revoke', { token });
  }

  me(accessToken: string | null): Promise<RawAnswer> {
    return this.call('GET', '/v1/users/me', accessToken);
  }

  oauth(endpoint: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<RawAnswer> {
    const { clientId, clientSecret } = this.simulator;
    return this.send('POST', `/v1/oauth/${endpoint}`, JSON.stringify(body), {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/json',
      'notion-version': this.version,
      ...headers,
    });
  }

  call(method: string, path: string, accessToken: string | null, body?: unknown): Promise<RawAnswer> {
    return this.send(method, path, body === undefined ? undefined : JSON.stringify(body), {
      authorization: `Bearer ${accessToken ?? ''}`,
      'content-type': 'application/json',
      'notion-version': this.version,
    });
  }

  async send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<RawAnswer> {
    const response = await fetch(this.simulator.url + path, { method, body, headers, redirect: 'manual' });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }
}

function parse(text: string): RawBody {
  try {
    return JSON.parse(text) as RawBody;
  } catch {
    return {} as RawBody;
  }
}
