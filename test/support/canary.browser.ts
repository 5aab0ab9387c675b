import { BINDING_COOKIE, type CanaryApp, type CanaryStage } from './canary.app.js';

export interface SeenPage {
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

/** A browser whose every answer goes into the exposure. */
export class CanaryBrowser {
  private cookie = '';

  constructor(
    private readonly stage: CanaryStage,
    private readonly app: CanaryApp,
    readonly user: string,
  ) {}

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<SeenPage> {
    const answer = await fetch(this.app.url + path, {
      headers: { 'x-session-user': this.user, cookie: this.cookie, ...headers },
      redirect: 'manual',
    });
    const text = await answer.text();
    this.stage.exposure.text(
      'HTTP answer',
      [answer.status, ...this.shownHeaders(answer.headers), text].join('\n'),
    );
    return { status: answer.status, location: answer.headers.get('location') ?? '', text };
  }

  /** Starts a connect and answers the authorize URL. */
  async start(query = ''): Promise<string> {
    const { status, location } = await this.get(`/notion/connect${query}`);
    if (status !== 303) throw new Error(`The connect did not start: ${status}.`);
    return location;
  }

  forgetCookie(): void {
    this.cookie = '';
  }

  /** Every header, without the two values whose place it is: the state for Notion, the cookie for the browser. */
  private shownHeaders(headers: Headers): string[] {
    return [...headers].map(([name, value]) => {
      if (name === 'location') return `${name}: ${this.withoutState(value)}`;
      if (name === 'set-cookie') return `${name}: ${this.withoutBinding(value)}`;
      return `${name}: ${value}`;
    });
  }

  private withoutState(location: string): string {
    if (!location.startsWith(`${this.stage.simulator.url}/v1/oauth/authorize?`)) return location;
    const state = new URL(location).searchParams.get('state')!;
    this.stage.scanner.watch('state', state);
    return location.replace(`state=${state}`, 'state=');
  }

  private withoutBinding(setCookie: string): string {
    const [, binding] = new RegExp(`^${BINDING_COOKIE}=([^;]{43});`).exec(setCookie)!;
    this.cookie = `${BINDING_COOKIE}=${binding}`;
    this.stage.scanner.watch('browser cookie', binding!);
    return setCookie.replace(`${BINDING_COOKIE}=${binding}`, `${BINDING_COOKIE}=`);
  }
}
