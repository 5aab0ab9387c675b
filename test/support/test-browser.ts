import request from 'supertest';

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Where it sends the browser; empty when nowhere. */
  readonly location: string;
}

/** A browser as far as connecting needs one: cookies, a signed-in user, and no following of redirects. */
export class TestBrowser {
  /** Everything any test browser was ever shown, for searching. */
  static readonly seen: string[] = [];

  readonly cookies = new Map<string, string>();

  constructor(
    private readonly origin: string,
    public user: string | null = 'owner-1',
  ) {}

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.send('get', path, headers);
  }

  async send(
    method: 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options',
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    const call = request(this.origin)[method](path).redirects(0).set(headers);
    if (this.user !== null) call.set('x-session-user', this.user);
    if (this.cookies.size > 0) call.set('cookie', this.cookieHeader());
    const answer = await call;
    this.keepCookies(answer.headers['set-cookie'] as unknown as string[] | undefined);
    const answerHeaders = answer.headers as Record<string, string>;
    TestBrowser.seen.push(answer.text);
    return {
      status: answer.status,
      headers: answerHeaders,
      text: answer.text,
      location: answerHeaders['location'] ?? '',
    };
  }

  cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  private keepCookies(setCookies: readonly string[] = []): void {
    for (const setCookie of setCookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(setCookie)!;
      this.cookies.set(name!, value!);
    }
  }
}
