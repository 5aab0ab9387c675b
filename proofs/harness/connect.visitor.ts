import { request, type Agent } from 'undici';

export interface Answer {
  readonly status: number;
  readonly location: string;
  readonly body: string;
}

/** A browser as far as connecting needs one, led to any of several processes by a load balancer. */
export class ConnectVisitor {
  private cookie: string;

  constructor(
    private readonly agent: Agent,
    private readonly owner: string,
    cookie = '',
  ) {
    this.cookie = cookie;
  }

  async get(url: string): Promise<Answer> {
    const headers = { 'x-session-user': this.owner, ...(this.cookie === '' ? {} : { cookie: this.cookie }) };
    const answer = await request(url, { dispatcher: this.agent, headers });
    const setCookie = answer.headers['set-cookie'];
    if (setCookie !== undefined) this.cookie = String(setCookie).split(';')[0] ?? '';
    return {
      status: answer.statusCode,
      location: String(answer.headers['location'] ?? ''),
      body: await answer.body.text(),
    };
  }
}
