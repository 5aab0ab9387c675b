export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The address that it sends the browser to; empty where it sends it nowhere. */
  readonly location: string;
}

/** A browser of somebody at the console: cookies, forms as the pages have them, no following of redirects. */
export class Operator {
  /** Everything that was ever answered to anybody. */
  static readonly seen: string[] = [];

  readonly cookies = new Map<string, string>();

  constructor(
    private readonly console: string,
    private readonly user = 'operator-ada',
  ) {}

  get(path = '', headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<ConsoleAnswer> {
    return this.send(path, { method, headers });
  }

  post(
    path: string,
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin' },
  ): Promise<ConsoleAnswer> {
    return this.send(path, { method: 'POST', headers, body: new URLSearchParams(form) });
  }

  /** Opens the page of an authorization, as its forms have to be. */
  async formToken(id: string): Promise<string> {
    const { text } = await this.get(`/authorizations/${id}`);
    return /name="formToken"\s+value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  /** Presses a button of the page, and looks at where it leads. */
  async press(
    id: string,
    action: string,
    form: Readonly<Record<string, string>> = {},
  ): Promise<ConsoleAnswer> {
    const formToken = await this.formToken(id);
    const path = `/authorizations/${id}/${action}`;
    const { status, location } = await this.post(path, { formToken, ...form });
    if (status !== 303) throw new Error(`The button was answered with ${String(status)}.`);
    const { pathname, search } = new URL(location, this.console + path);
    return this.send('', { method: 'GET' }, new URL(pathname + search, this.console).href);
  }

  private async send(path: string, init: RequestInit, url = this.console + path): Promise<ConsoleAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { 'x-user': this.user, cookie, ...(init.headers as Record<string, string>) };
    const answer = await fetch(url, { ...init, redirect: 'manual', headers });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
      this.cookies.set(name!, value!);
    }
    const text = await answer.text();
    Operator.seen.push(text);
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      location: answer.headers.get('location') ?? '',
    };
  }
}
