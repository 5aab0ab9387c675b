import type { NotionSimulator } from 'nestjs-notion-auth/testing';

/** A browser without a window: somebody who has connected, and calls Notion through the quickstart. */
export class QuickstartVisitor {
  private constructor(
    private readonly url: string,
    private readonly cookies: Map<string, string>,
    private readonly authorizationId: string,
    readonly botId: string,
  ) {}

  static async connect(url: string, simulator: NotionSimulator): Promise<QuickstartVisitor> {
    const cookies = new Map<string, string>();
    await visit(url, cookies);
    const departure = await visit(new URL('/notion/connect', url).href, cookies);
    const person = simulator.grant().ownerUserId!;
    const before = new Set(simulator.ledger.tokens().map(({ botId }) => botId));
    const back = simulator.allow(departure.headers.get('location')!, { person });
    await visit(back, cookies);
    const page = await (await visit(url, cookies)).text();
    const authorizationId = /authorizations\/([0-9a-f-]{36})\//.exec(page)?.[1];
    const botId = simulator.ledger.tokens().find((token) => !before.has(token.botId))?.botId;
    if (authorizationId === undefined) throw new Error('The connect left nothing on the page.');
    return new QuickstartVisitor(url, cookies, authorizationId, botId ?? lastBotOf(simulator));
  }

  /** Presses "Who am I". What comes of it is for the metrics to tell. */
  async call(): Promise<void> {
    const page = await (await visit(this.url, this.cookies)).text();
    const formToken = /name="formToken" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const form = new URLSearchParams({ formToken });
    await visit(`${this.url}authorizations/${this.authorizationId}/who-am-i`, this.cookies, form);
  }
}

function lastBotOf(simulator: NotionSimulator): string {
  return simulator.ledger.tokens().at(-1)!.botId;
}

async function visit(url: string, cookies: Map<string, string>, form?: URLSearchParams): Promise<Response> {
  const answer = await fetch(url, {
    method: form === undefined ? 'GET' : 'POST',
    body: form ?? null,
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
    cookies.set(name!, value!);
  }
  return answer;
}
