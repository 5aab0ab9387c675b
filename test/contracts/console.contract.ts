import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionClientFactory, NotionRefreshService, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { ConsoleApp } from '../support/console/console.app.js';
import { Operator } from '../support/console/operator.js';
import { databaseFor, REDIRECT_URI } from '../support/notion-app.js';
import type { StorageEngine } from '../support/storage.harness.js';

const CANARY = `canary${randomBytes(12).toString('hex')}`;
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

/** What operators see and do, over real HTTP. */
export function consoleContract(engine: StorageEngine): void {
  describe(`the console on ${engine.name}`, () => {
    let simulator: NotionSimulator;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    let app: ConsoleApp;
    let operator: Operator;
    let consoleUrl: string;
    let planted = 0;

    beforeAll(async () => {
      simulator = await NotionSimulator.start({
        redirectUris: [REDIRECT_URI],
        clientSecret: `secret-${CANARY}`,
        tokenFactory: (kind) => `${kind}-${CANARY}-${String((planted += 1))}`,
      });
      storage = await databaseFor(engine);
      const options: NotionAuthOptions = {
        clientId: simulator.clientId,
        clientSecret: simulator.clientSecret,
        redirectUris: [REDIRECT_URI],
        apiBaseUrl: simulator.url,
        encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
        runMigrations: true,
        ...storage.options,
      };
      app = await ConsoleApp.start(options);
      consoleUrl = `${app.url}/notion/console`;
      operator = new Operator(consoleUrl);
    }, 60_000);

    afterAll(async () => {
      await app.close();
      await storage.drop();
      await simulator.close();
    });

    async function kept(changes: Partial<SimulatedAuthorization> = {}, owner = 'owner-1') {
      const granted = { ...simulator.grant(), ...changes };
      return { id: await app.keep(granted, owner), granted };
    }

    async function statusOf(id: string): Promise<string> {
      const { text } = await operator.get(`/authorizations/${id}`);
      return /class="status (\w+)"/.exec(text)?.[1] ?? '';
    }

    /** How many refreshes Notion saw while this was done. */
    async function refreshesDuring(work: () => Promise<unknown>): Promise<number> {
      const mark = simulator.ledger.mark();
      await work();
      return simulator.ledger.since(mark).refreshes();
    }

    function linesOf(event: string, since: number): string[] {
      return ConsoleApp.log.slice(since).filter((line) => line.includes(event));
    }

    it('opens no route and takes no form for whom the guard does not let through', async () => {
      const { id } = await kept();
      const stranger = new Operator(consoleUrl, 'somebody');
      const formToken = await operator.formToken(id);
      for (const [name, value] of operator.cookies) stranger.cookies.set(name, value);
      for (const path of ['', '/authorizations', `/authorizations/${id}`]) {
        for (const method of ['GET', 'HEAD']) {
          expect([path, (await stranger.get(path, {}, method)).status]).toEqual([path, 403]);
        }
      }
      const refreshed = await refreshesDuring(async () => {
        for (const action of ['refresh', 'reconnect-link', 'disconnect']) {
          const form = { formToken, confirmed: 'yes' };
          expect((await stranger.post(`/authorizations/${id}/${action}`, form)).status).toBe(403);
        }
      });
      expect([refreshed, await statusOf(id)]).toEqual([0, 'active']);
    });

    it('A22: shows pages that load nothing, run nothing and cannot be framed', async () => {
      const { id } = await kept();
      for (const path of ['', '/authorizations', `/authorizations/${id}`, '/authorizations/unknown']) {
        const { headers, text } = await operator.get(path);
        const policy = headers.get('content-security-policy')!.split('; ');
        expect(policy).toEqual([
          "default-src 'none'",
          expect.stringMatching(/^style-src 'sha256-[A-Za-z0-9+/]{43}='$/),
          'img-src data:',
          "form-action 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ]);
        expect(Object.fromEntries(headers)).toMatchObject(SECURITY_HEADERS);
        expect(text).not.toMatch(/<script|<iframe|\sstyle="|\son\w+="|(?:src|href)="(?:https?:)?\/\//);
      }
    });

    it('has a cookie that no other site can use', async () => {
      const { id } = await kept();
      const { headers } = await new Operator(consoleUrl).get(`/authorizations/${id}`);
      expect(headers.get('set-cookie')).toMatch(
        /^__Host-notion-console=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
    });

    it('counts the fleet, and says what is of all replicas and what of this one', async () => {
      await kept();
      const { status, text } = await operator.get();
      expect(status).toBe(200);
      expect(text).toContain('Too little to judge');
      expect(text).toMatch(/Active<\/span>\s*<span class="tile-figure">[1-9]/);
      expect(text).toContain('All replicas, from the attempt journal');
      expect(text.match(/This replica only, since it started/g)).toHaveLength(3);
    });

    it('draws how refreshing went, with the figures behind it', async () => {
      const { id } = await kept();
      await app.nest.get(NotionRefreshService).refresh(id, { trigger: 'manual' });
      const dead = await kept();
      simulator.revokeGrant(dead.granted.botId);
      await app.nest.get(NotionRefreshService).refresh(dead.id, { trigger: 'manual' });
      for (const span of ['15m', '24h', '7d']) {
        const drawn = await eventually(
          () => operator.get(`?span=${span}`),
          ({ text }) => text.includes('refresh invalid_grant') && !text.includes('Still counting'),
        );
        expect(drawn.text).toMatch(/<svg\s+role="img"\s+aria-label="Refreshes\. 100 % of \d+ refresh/);
        expect(drawn.text).toMatch(/<svg\s+role="img"\s+aria-label="How long Notion took\. Half of the/);
        expect(drawn.text).toContain('<th scope="col" class="number">95th percentile</th>');
        expect(drawn.text).not.toContain('Still counting');
      }
    });

    it('counts errors of calls and of connecting by their codes, and says what they mean', async () => {
      const { id } = await kept();
      simulator.fail('api', { kind: 'status', status: 403, code: 'restricted_resource' });
      await app.nest.get(NotionClientFactory).fetchFor(id)('/v1/users/me');
      simulator.clearFaults();
      await fetch(`${app.url}/notion/callback?state=${'s'.repeat(43)}&code=c`);
      const { text } = await operator.get('?span=15m');
      expect(text).toContain('data-error="api restricted_resource"');
      expect(text).toContain('data-error="exchange notion_callback_refused"');
      expect(text).toContain('docs/runbook.md#restricted_resource');
    });

    it('finds by any part of a name and by the beginning of any id', async () => {
      const workspaceName = `Büro für Ätherisches ${CANARY.slice(-4)}_100%`;
      const workspaceId = '0f0f0f0f-1111-4222-8333-444444444444';
      const { id, granted } = await kept({ workspaceName, workspaceId }, 'owner-of-the-office');
      const found = async (q: string) => {
        const { status, text } = await operator.get(
          `/authorizations?${new URLSearchParams({ q }).toString()}`,
        );
        expect(status).toBe(200);
        return idsIn(text);
      };
      for (const q of [
        'BüRO fÜr'.toLowerCase(),
        workspaceName,
        '_100%',
        id,
        id.slice(0, 20),
        workspaceId,
        workspaceId.replaceAll('-', ''),
        granted.botId,
        granted.ownerUserId!,
        'owner-of-the-off',
      ]) {
        expect([q, await found(q)]).toEqual([q, [id]]);
      }
      expect(await found('_100_')).toEqual([]);
      expect(await found('%')).toEqual([id]);
      expect(await found('office')).toEqual([]);
    });

    it('takes whatever is looked for, and finds nothing with it', async () => {
      const nonsense = [
        `'; DROP TABLE notion_authorization; --`,
        `" OR "1"="1`,
        '\u0000\u0001\ud800',
        '%'.repeat(4_000),
        '!_%'.repeat(40),
        '\\',
        '${7*7}{{7*7}}',
        '（；´д｀）',
      ];
      for (const text of nonsense) {
        const { status, text: page } = await operator.get(
          `/authorizations?q=${encodeURIComponent(wellFormed(text))}`,
        );
        expect([text.slice(0, 20), status]).toEqual([text.slice(0, 20), 200]);
        expect(page).not.toContain(text + text);
      }
      for (const query of [
        'q[]=a&q[]=b',
        'q[x]=1',
        'status=constructor',
        'status[]=active',
        'after=1_2',
        'span=toString',
      ])
        expect([query, (await operator.get(`/authorizations?${query}`)).status]).toEqual([query, 200]);
      expect((await operator.get('?span=__proto__')).status).toBe(200);
    });

    it('pages through all of them, each once, whose status changed last first', async () => {
      const owner = 'owner-of-many';
      for (let count = 0; count < 60; count += 1) await kept({}, owner);
      const seen: string[] = [];
      let next: string | undefined = `?q=${owner}`;
      let pages = 0;
      while (next !== undefined) {
        const { text } = await operator.get(`/authorizations${next}`);
        seen.push(...idsIn(text));
        pages += 1;
        next = /rel="next"\s+href="[^"?]*(\?[^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
      }
      expect([pages, seen.length, new Set(seen).size]).toEqual([3, 60, 60]);
      const stored = await app.connects.list(owner);
      const newestFirst = [...stored].sort(
        (one, other) =>
          other.statusSince.getTime() - one.statusSince.getTime() || (one.id < other.id ? 1 : -1),
      );
      expect(seen).toEqual(newestFirst.map(({ id }) => id));
    }, 60_000);

    it('filters by status', async () => {
      const { id, granted } = await kept({}, 'owner-of-one-dead');
      simulator.revokeGrant(granted.botId);
      await app.nest.get(NotionRefreshService).refresh(id, { trigger: 'manual' });
      const of = async (status: string) =>
        idsIn((await operator.get(`/authorizations?q=owner-of-one-dead&status=${status}`)).text);
      expect([await of('needs_reconnect'), await of('active')]).toEqual([[id], []]);
    });

    it('writes names and owners as text, whatever is in them', async () => {
      const workspaceName = `</title><script>alert("${CANARY.slice(-5)}")</script><img src=x onerror=alert(1)>`;
      const { id } = await kept({ workspaceName }, `"><script>alert('owner')</script>`);
      for (const path of [`/authorizations?q=${encodeURIComponent('<script>')}`, `/authorizations/${id}`]) {
        const { text } = await operator.get(path);
        expect(text).toContain('&lt;script&gt;alert(');
        expect(text).not.toMatch(/<script|<img/);
      }
    });

    it('says that there is no such authorization, to any verb', async () => {
      for (const id of ['00000000-0000-4000-8000-000000000000', 'constructor', '%00', '%27%20OR%201=1']) {
        expect([id, (await operator.get(`/authorizations/${id}`)).status]).toEqual([id, 404]);
        expect([id, (await operator.get(`/authorizations/${id}`, {}, 'HEAD')).status]).toEqual([id, 404]);
      }
      const shown = await operator.press('00000000-0000-4000-8000-000000000000', 'refresh').catch(String);
      // Its page has no form, so there is no token to press with.
      expect(shown).toContain('403');
      expect((await operator.get('', {}, 'HEAD')).status).toBe(200);
    });

    it.each<[string, Record<string, string>, boolean]>([
      ['another site', { 'sec-fetch-site': 'cross-site' }, true],
      ['a neighbour of the site', { 'sec-fetch-site': 'same-site' }, true],
      ['nowhere', { 'sec-fetch-site': 'none' }, true],
      ['an old browser on another site', { origin: 'https://evil.example' }, true],
      ['a hidden origin', { origin: 'null' }, true],
      ['a page without its token', { 'sec-fetch-site': 'same-origin' }, false],
    ])('takes no form from %s, does nothing, and writes it down', async (_, headers, hasToken) => {
      const { id } = await kept();
      // Where the browser names an origin and nothing else, a proxy may be the reason.
      const isByOrigin = 'origin' in headers && !('sec-fetch-site' in headers);
      const title = `This form ${isByOrigin ? 'came from another address' : 'is out of date'}`;
      const formToken = await operator.formToken(id);
      const begun = ConsoleApp.log.length;
      const refreshed = await refreshesDuring(async () => {
        for (const action of ['refresh', 'reconnect-link', 'disconnect']) {
          const form = { confirmed: 'yes', ...(hasToken ? { formToken } : {}) };
          const { status, text } = await operator.post(`/authorizations/${id}/${action}`, form, headers);
          expect([action, status]).toEqual([action, 403]);
          expect(text).toContain(title);
        }
      });
      expect([refreshed, await statusOf(id)]).toEqual([0, 'active']);
      expect(linesOf('console refused', begun).length).toBeGreaterThan(0);
      expect(linesOf('console action', begun)).toEqual([]);
    });

    it('takes no form with the token of another browser, or without the cookie', async () => {
      const { id } = await kept();
      const other = new Operator(consoleUrl);
      const foreign = await other.formToken(id);
      const mine = await operator.formToken(id);
      expect(foreign).not.toBe(mine);
      const refused = [
        operator.post(`/authorizations/${id}/refresh`, { formToken: foreign }),
        operator.post(`/authorizations/${id}/refresh`, { formToken: '' }),
        operator.post(`/authorizations/${id}/refresh`, { 'formToken[]': mine }),
        new Operator(consoleUrl).post(`/authorizations/${id}/refresh`, { formToken: mine }),
      ];
      expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    });

    it('refreshes once, says so, and writes down who asked', async () => {
      const { id } = await kept();
      const begun = ConsoleApp.log.length;
      let page = '';
      const refreshed = await refreshesDuring(async () => {
        page = (await operator.press(id, 'refresh')).text;
      });
      expect(refreshed).toBe(1);
      expect(page).toContain('data-outcome="renewed"');
      expect(page).toContain('manual');
      expect(linesOf('console action', begun)).toEqual([
        `log console action kind=refresh outcome=renewed authorization=${id} actor=operator-ada`,
      ]);
    });

    it('says what a failed refresh means, and what to do', async () => {
      const { id, granted } = await kept();
      simulator.revokeGrant(granted.botId);
      const { text } = await operator.press(id, 'refresh');
      expect(text).toContain('data-outcome="needs_reconnect"');
      expect(text).toContain('docs/runbook.md#invalid_grant');
      expect(text).toContain('send the person through the connect page again');
      expect(await statusOf(id)).toBe('needs_reconnect');
    });

    it('keeps to itself what a confused server wrote in the place of a code', async () => {
      const { id } = await kept();
      simulator.fail('refresh', {
        kind: 'status',
        status: 400,
        body: { error: `ntn_${CANARY}`, code: `ntn_${CANARY}`, message: CANARY },
      });
      const { text } = await operator.press(id, 'refresh');
      simulator.clearFaults();
      expect(text).toContain('docs/runbook.md#unexplained_answer');
      expect(text).not.toContain(CANARY);
    });

    it('shows the link to reconnect', async () => {
      const { id } = await kept();
      const begun = ConsoleApp.log.length;
      const { text } = await operator.press(id, 'reconnect-link');
      expect(text).toContain(`value="https://app.example/notion/connect?reconnect=${id}"`);
      expect(linesOf('console action', begun)).toEqual([
        expect.stringContaining('kind=reconnect-link outcome=shown'),
      ]);
    });

    it('asks before it disconnects, and lets one owner go without the others', async () => {
      const { id, granted } = await kept({}, 'owner-leaving');
      await app.keep(granted, 'owner-staying');
      const question = await operator.press(id, 'disconnect', { owner: 'owner-leaving' });
      expect(question.text).toContain('Yes, disconnect');
      expect(question.text).toContain('The other 1 owner');
      expect(await app.connects.list('owner-leaving')).toHaveLength(1);
      const begun = ConsoleApp.log.length;
      const done = await operator.press(id, 'disconnect', { owner: 'owner-leaving', confirmed: 'yes' });
      expect(done.text).toContain('data-outcome="unlinked"');
      expect(await statusOf(id)).toBe('active');
      expect([await app.connects.list('owner-leaving'), await app.connects.list('owner-staying')]).toEqual([
        [],
        [expect.objectContaining({ id })],
      ]);
      expect(linesOf('console action', begun)).toEqual([
        expect.stringMatching(/kind=disconnect outcome=unlinked .* owners=1$/),
      ]);
    });

    it('disconnects all owners, and Notion is told', async () => {
      const { id, granted } = await kept({}, 'owner-a');
      await app.keep(granted, 'owner-b');
      await app.keep(granted, 'owner-c');
      const { text } = await operator.press(id, 'disconnect', { confirmed: 'yes' });
      expect(text).toContain('data-outcome="revoked"');
      expect(text).toContain('3 owners disconnected');
      expect(await statusOf(id)).toBe('revoked');
      const again = await operator.press(id, 'disconnect', { confirmed: 'yes' });
      expect(again.text).toContain('Nothing was done');
    });

    it('says so when Notion does not confirm a disconnect', async () => {
      const { id } = await kept();
      simulator.fail('revoke', { kind: 'status', status: 503 });
      const { text } = await operator.press(id, 'disconnect', { confirmed: 'yes' });
      simulator.clearFaults();
      expect(text).toContain('Notion has not confirmed yet');
    });

    it('cannot be made to say what did not happen', async () => {
      const { id } = await kept();
      const other = await kept();
      const formToken = await operator.formToken(id);
      const { location } = await operator.post(`/authorizations/${id}/refresh`, { formToken });
      const did = new URL(location, `${consoleUrl}/authorizations/`).searchParams.get('did')!;
      const shown = async (of: string, note: string) =>
        (
          await operator.get(`/authorizations/${of}?${new URLSearchParams({ did: note }).toString()}`)
        ).text.includes('data-did=');
      expect(await shown(id, did)).toBe(true);
      expect(await shown(other.id, did)).toBe(false);
      expect(await shown(id, did.replace('renewed', 'unknown'))).toBe(false);
      expect(await shown(id, did.replace('refresh', 'disconnect'))).toBe(false);
      expect(await shown(id, 'x'.repeat(4_000))).toBe(false);
    });

    it('bounds and masks the name of who acts', async () => {
      const { id } = await kept();
      const begun = ConsoleApp.log.length;
      await new Operator(consoleUrl, `operator ntn_${CANARY} ${'x'.repeat(500)}`).press(id, 'refresh');
      const [line] = linesOf('console action', begun);
      expect(line).toMatch(/ actor=operator%20\[masked\]%20x+$/);
      expect(line!.length).toBeLessThan(300);
      expect(line).not.toContain(CANARY);
    });

    it('E10: no page and no line holds a token, a secret or a key', () => {
      expect(Operator.seen.length).toBeGreaterThan(100);
      const bodies = Operator.seen.join('\n');
      expect(bodies.length).toBeGreaterThan(500_000);
      expect(bodies).not.toContain(`-${CANARY}`);
      expect(bodies).not.toContain(`ntn_${CANARY}`);
      for (const secret of operator.cookies.values()) expect(bodies).not.toContain(secret);
      expect(ConsoleApp.log.join('\n')).not.toContain(CANARY);
    });
  });
}

function idsIn(page: string): string[] {
  return [...page.matchAll(/data-authorization="([^"]+)"/g)].map(([, id]) => id!);
}

/** Half a character cannot be sent as it is; a broken client sends this for it. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

async function eventually<T>(look: () => Promise<T>, isThere: (seen: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 20; tries += 1) {
    const seen = await look();
    if (isThere(seen)) return seen;
    // What is counted is kept for five seconds.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return look();
}
