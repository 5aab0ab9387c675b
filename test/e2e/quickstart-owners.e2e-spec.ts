import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QuickstartChild } from '../support/browser/quickstart.child.js';

const MAIN = resolve(import.meta.dirname, '../../build/examples/quickstart/main.js');
const ACTIONS = ['who-am-i', 'search', 'burst', 'disconnect', 'forget', 'revoke'];

/** A person at the quickstart's pages: cookies, forms, no script. Needs the build (`npm test` makes it). */
class Visitor {
  private readonly cookies = new Map<string, string>();
  private formToken = '';

  constructor(private readonly origin: string) {}

  async request(path: string, init: RequestInit = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(new URL(path, this.origin), {
      ...init,
      redirect: 'manual',
      headers: { cookie },
    });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
      this.cookies.set(name!, value!);
    }
    return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() };
  }

  /** Connects as the person of this name, and answers the new authorization's id. */
  async connect(name: string): Promise<string> {
    await this.request('/');
    const { location: consent } = await this.request('/notion/connect');
    const page = await (await fetch(consent!)).text();
    const person = new RegExp(`<option value="([^"]+)">${name}`).exec(page)![1]!;
    const workspace = /name="workspace" value="([^"]+)"/.exec(page)![1]!;
    const form = new URLSearchParams(new URL(consent!).search);
    for (const [field, value] of Object.entries({ decision: 'allow', person, workspace })) {
      form.set(field, value);
    }
    const allowed = await fetch(consent!, { method: 'POST', body: form, redirect: 'manual' });
    const { pathname, search } = new URL(allowed.headers.get('location')!);
    expect((await this.request(pathname + search)).status).toBe(303);
    const { text } = await this.request('/');
    this.formToken = /name="formToken" value="([^"]+)"/.exec(text)![1]!;
    return /data-authorization="([^"]+)"/.exec(text)![1]!;
  }

  /** Presses a button of an authorization's card, and answers what the page shows then, but for times and counts. */
  async press(id: string, action: string): Promise<unknown> {
    const body = new URLSearchParams({ formToken: this.formToken });
    const { status, location, text } = await this.request(`/authorizations/${id}/${action}`, {
      method: 'POST',
      body,
    });
    const shown = (await this.request('/')).text;
    const panel = /<div data-result="\d+"[\s\S]*?<p class="quiet">Took/.exec(shown)?.[0] ?? '';
    return {
      status,
      location,
      text,
      panel: panel.replace(/data-result="\d+"|<p class="quiet">[^]*?<\/p>/g, ''),
    };
  }
}

describe('F1: the quickstart', () => {
  let folder: string;
  let child: QuickstartChild;
  let ada: Visitor;
  let bob: Visitor;
  let bobs: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quickstart-owners-'));
    child = await QuickstartChild.start(folder, 0, MAIN);
    [ada, bob] = [new Visitor(child.url), new Visitor(child.url)];
    await ada.connect('Ada');
    bobs = await bob.connect('Grace');
  }, 60_000);

  afterAll(async () => {
    await child.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(ACTIONS)("answers %s on somebody else's authorization as on an unknown one", async (action) => {
    const foreign = await ada.press(bobs, action);
    expect(foreign).toEqual(await ada.press(randomUUID(), action));
    expect(foreign).toMatchObject({ panel: expect.stringContaining('data-outcome="failed"') });
    expect(JSON.stringify(foreign)).not.toContain(bobs);
  });

  it('and leaves it working for its owner', async () => {
    expect(await bob.press(bobs, 'who-am-i')).toMatchObject({
      panel: expect.stringContaining('data-outcome="succeeded"'),
    });
  });
});
