import type { CanaryScanner } from '../../test/support/canary.scanner.js';
import type { SeenBytes } from './seen.bytes.js';

/** A browser, and whoever else asks the application; every answer is seen, but for the cookie and the state it is for. */
export class CanaryVisitor {
  private cookie = '';

  constructor(
    private readonly url: string,
    private readonly owner: string,
    private readonly seen: SeenBytes,
    private readonly scanner: CanaryScanner,
  ) {}

  async ask(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<{ status: number; location: string; text: string }> {
    const answer = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { 'x-owner': this.owner, cookie: this.cookie, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    const location = answer.headers.get('location') ?? '';
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${this.withoutItsOwn(name, value)}`);
    this.seen.add('HTTP answers', `${String(answer.status)}\n${headers.join('\n')}\n${text}\n`);
    return { status: answer.status, location, text };
  }

  /** The two values whose place is just here: the state on its way to Notion, the cookie for the browser. */
  private withoutItsOwn(name: string, value: string): string {
    const state = name === 'location' ? /[?&]state=([\w-]+)/.exec(value)?.[1] : undefined;
    const binding = name === 'set-cookie' ? /=([\w-]{43});/.exec(value)?.[1] : undefined;
    for (const [kind, secret] of [['state', state] as const, ['browser cookie', binding] as const]) {
      if (secret !== undefined) this.scanner.watch(kind, secret);
    }
    if (binding !== undefined) this.cookie = value.split(';')[0]!;
    return [state, binding].reduce<string>(
      (shown, secret) => (secret === undefined ? shown : shown.replaceAll(secret, '')),
      value,
    );
  }
}
