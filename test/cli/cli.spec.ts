import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateEncryptionKey } from 'nestjs-notion-auth';
import { NotionSimulator, type SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { DataSource } from 'typeorm';
import { CliSite } from '../support/cli.js';
import { ForwardProxy } from '../support/forward.proxy.js';

const KEY = generateEncryptionKey('k1');
const NEXT_KEY = generateEncryptionKey('k2');
const NOWHERE = 'http://127.0.0.1:9';

let simulator: NotionSimulator;
let site: CliSite;
let granted: SimulatedAuthorization;
let id: string;

function lineOf(grant: SimulatedAuthorization, ownerId: string): string {
  return JSON.stringify({
    owner_id: ownerId,
    access_token: grant.accessToken,
    refresh_token: grant.refreshToken,
    bot_id: grant.botId,
    workspace_id: grant.workspaceId,
    workspace_name: grant.workspaceName,
    owner_user_id: grant.ownerUserId,
  });
}

beforeAll(async () => {
  simulator = await NotionSimulator.start();
  site = new CliSite(CliSite.settingsFor(simulator, KEY));
  granted = simulator.grant();
  await site.run(['import', '-'], { input: lineOf(granted, 'owner-1') });
  const { output } = await site.run(['list', '--json']);
  ({ id } = JSON.parse(output) as { id: string });
}, 60_000);

afterAll(async () => {
  site.remove();
  await simulator.close();
});

describe('notion-auth doctor', () => {
  it('finds nothing wrong with a set-up that works, and has looked at all of it', async () => {
    const { code, output } = await site.run(['doctor', '--json']);
    const { ok, findings } = JSON.parse(output) as {
      ok: boolean;
      findings: { check: string; verdict: string }[];
    };
    expect([code, ok]).toEqual([0, true]);
    const checks = [
      'configuration',
      'times',
      'redirect URIs',
      'journal',
      'database',
      'schema',
      'locks',
      'clock',
      'keys',
      'Notion',
      'credentials',
    ];
    expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(checks));
  }, 30_000);

  it.each<[name: string, change: Record<string, string>, says: RegExp]>([
    [
      'no client secret',
      { NOTION_CLIENT_SECRET: '' },
      /FAIL .*clientSecret \(NOTION_CLIENT_SECRET\): is empty/,
    ],
    [
      'a wrong client secret',
      { NOTION_CLIENT_SECRET: 'secret_of-another-connection' },
      /FAIL {2}credentials .*invalid_client/,
    ],
    ['a placeholder', { NOTION_CLIENT_SECRET: 'changeme' }, /FAIL .*is a placeholder/],
    [
      'another path than the mounted one',
      { NOTION_REDIRECT_URIS: 'https://app.example/oauth/callback' },
      /FAIL {2}redirect URIs .*\/oauth\/callback is not where the callback is mounted/,
    ],
    [
      'a prefix that a proxy removes',
      { NOTION_REDIRECT_URIS: 'https://app.example/api/notion/callback' },
      /FAIL {2}redirect URIs .*set publicBasePath \(NOTION_AUTH_PUBLIC_BASE_PATH\) to \/api;/,
    ],
    [
      'plain HTTP in production',
      { NODE_ENV: 'production', NOTION_REDIRECT_URIS: 'http://app.example/notion/callback' },
      /FAIL .*redirectUris/,
    ],
    ['a key of the wrong length', { NOTION_AUTH_ENCRYPTION_KEYS: 'k1:c2hvcnQ=' }, /FAIL .*must be 32 bytes/],
    [
      'no key in production',
      { NODE_ENV: 'production', NOTION_AUTH_ENCRYPTION_KEYS: '' },
      /FAIL .*are required in production/,
    ],
    [
      'a key that rows need',
      { NOTION_AUTH_ENCRYPTION_KEYS: NEXT_KEY },
      /FAIL {2}keys .*the key k1 seals 1 rows and is not configured/,
    ],
    [
      'a database that is not there',
      { NOTION_AUTH_DATABASE_URL: 'postgres://user:pa55word@127.0.0.1:9/notion' },
      /FAIL {2}database .*ECONNREFUSED/,
    ],
    [
      'a Notion that is not there',
      { NOTION_API_BASE_URL: NOWHERE },
      /FAIL {2}Notion .*cannot be reached \(ECONNREFUSED\)/,
    ],
    [
      'a secret both as text and as file',
      { NOTION_CLIENT_SECRET_FILE: '/nowhere' },
      /FAIL .*both NOTION_CLIENT_SECRET and NOTION_CLIENT_SECRET_FILE are set/,
    ],
    [
      'a journal in a file',
      { NOTION_AUTH_JOURNAL_DIR: '/proc/version/journal' },
      /FAIL {2}journal .*cannot be written by this user \(ENOTDIR\)/,
    ],
    [
      'a journal folder that is a file',
      { NOTION_AUTH_JOURNAL_DIR: '/proc/version' },
      /FAIL {2}journal .*cannot be written by this user \(ENOTDIR\); make it a directory/,
    ],
    [
      'a journal folder that nothing can be written to',
      { NOTION_AUTH_JOURNAL_DIR: '/proc/self' },
      /FAIL {2}journal .*cannot be written by this user \(E\w+\)/,
    ],
    [
      'a clock that is wrong',
      {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent('const now=Date.now.bind(Date);Date.now=()=>now()+60000')}`,
      },
      /FAIL {2}clock .*differ by [56]\d{4} ms/,
    ],
  ])(
    'names the cause of %s',
    async (_name, change, says) => {
      const { code, output } = await site.run(['doctor'], { change });
      expect(output).toMatch(says);
      expect(code).toBe(1);
      expect(output).not.toContain('pa55word');
    },
    30_000,
  );

  it('says that a file is no database', async () => {
    const broken = new CliSite(CliSite.settingsFor(simulator, KEY));
    mkdirSync(join(broken.folder, 'data'));
    writeFileSync(join(broken.folder, 'data/notion-auth.sqlite'), 'no database '.repeat(500));
    chmodSync(join(broken.folder, 'data/notion-auth.sqlite'), 0o600);
    const { code, output } = await broken.run(['doctor']);
    broken.remove();
    expect([code, output]).toEqual([1, expect.stringMatching(/FAIL {2}database .*SQLITE_NOTADB/)]);
  }, 30_000);
});

describe('notion-auth', () => {
  it('lists, filters and pages', async () => {
    const all = await site.run(['list']);
    expect(all.output).toContain(id);
    expect((await site.run(['list', '--status', 'needs_reconnect'])).output).not.toContain(id);
    expect((await site.run(['list', '--owner', 'owner-1', '--limit', '1'])).output).toContain(
      `--after ${id}`,
    );
    expect((await site.run(['list', '--after', id])).output).toContain('There are no more.');
    expect((await site.run(['list', '--owner', 'nobody'])).output).toContain(
      'There is no such authorization.',
    );
  }, 60_000);

  it('refreshes, and shows what the last failure means', async () => {
    expect(await site.run(['refresh', id])).toMatchObject({
      code: 0,
      output: expect.stringContaining('renewed'),
    });
    simulator.revokeGrant(granted.botId);
    const refused = await site.run(['refresh', id]);
    expect(refused).toMatchObject({
      code: 1,
      output: expect.stringContaining('needs_reconnect (revoked_or_expired)'),
    });
    const shown = await site.run(['show', id]);
    expect(shown.output).toMatch(
      /needs_reconnect \(revoked_or_expired\)[^]*owner-1[^]*invalid_grant[^]*docs\/runbook\.md#/,
    );
    for (const command of ['show', 'refresh']) {
      for (const unknown of ['00000000-0000-4000-8000-000000000000', 'no-id']) {
        expect(await site.run([command, unknown])).toMatchObject({
          code: 1,
          output: expect.stringMatching(/^There is no such authorization: look at the id/),
        });
      }
    }
  }, 60_000);

  it.each([
    ['{"status":400,"body":{"error":"invalid_grant"}}', 'refresh', /^grant: /],
    ['{"status":401,"code":"unauthorized"}', 'api', /^token: /],
    ['{"status":403,"code":"restricted_resource"}', 'api', /^permission: /],
    ['{"status":404,"code":"object_not_found"}', 'api', /^permission: /],
    ['{"status":429,"code":"rate_limited"}', 'api', /^limit: /],
    ['{"status":401,"body":{"error":"invalid_client"}}', 'refresh', /^configuration: /],
    [
      '{"status":403,"body":"<html><title>Attention Required! | Cloudflare</title></html>"}',
      'api',
      /^network: /,
    ],
    ['HTTP/1.1 403 Forbidden\ncf-ray: 8f0c\n\n<!DOCTYPE html><html></html>', 'refresh', /^network: /],
  ])('diagnoses %s at %s', async (error, stage, says) => {
    expect(await site.run(['diagnose', '--stage', stage], { input: error })).toMatchObject({
      code: 0,
      output: expect.stringMatching(says),
    });
  });

  it('imports once, says what it would do, and names what it cannot take without repeating it', async () => {
    const [one, other] = [simulator.grant(), simulator.grant()];
    const lines = [
      lineOf(one, 'owner-2'),
      '{',
      JSON.stringify({ access_token: other.accessToken }),
      lineOf(other, 'owner-2'),
    ];
    const input = lines.join('\n');
    const dry = await site.run(['import', '-', '--dry-run'], { input });
    expect(dry.output).toContain('2 would be imported, 0 already there, 2 refused');
    const done = await site.run(['import', '-'], { input });
    expect(done).toMatchObject({
      code: 1,
      output: expect.stringContaining('2 imported, 0 already there, 2 refused'),
    });
    expect(done.output).toContain('line 2: is not JSON');
    expect(done.output).toMatch(/line 3: missing or not usable: .*owner_id/);
    expect((await site.run(['import', '-'], { input: lines[0]! })).output).toContain(
      '0 imported, 1 already there',
    );
    const { output } = await site.run(['list', '--owner', 'owner-2', '--json']);
    const [taken] = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    expect(await site.run(['refresh', taken!.id])).toMatchObject({ code: 0 });
  }, 60_000);

  it('says so where an owner shares a grant that is there, instead of linking behind everybody’s back', async () => {
    const input = `${lineOf(granted, 'owner-1')}\n${lineOf(granted, 'owner-9')}`;
    const { code, output } = await site.run(['import', '-'], { input });
    expect(code).toBe(0);
    expect(output).toMatch(/line 2: the grant is there already, and this owner is not linked to it/);
    expect(output).not.toMatch(/line 1:/);
    expect(output).toContain('0 imported, 2 already there, 0 refused');
  }, 30_000);

  it('imports nothing under the key of one process: nothing could decrypt it afterwards', async () => {
    const change = { NOTION_AUTH_ENCRYPTION_KEYS: '', NOTION_AUTH_DATABASE_PATH: ':memory:' };
    const other = new CliSite(CliSite.settingsFor(simulator, KEY));
    const input = lineOf(simulator.grant(), 'owner-3');
    const refused = await other.run(['import', '-'], { input, change });
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('are required to import') });
    expect((await other.run(['list'])).output).toContain('There is no such authorization.');
    other.remove();
  }, 30_000);

  it('tells how many rows each key seals, and seals them anew', async () => {
    const change = { NOTION_AUTH_ENCRYPTION_KEYS: `${NEXT_KEY},${KEY}` };
    expect((await site.run(['keys', 'status'], { change })).output).toMatch(
      /k2 +0 +seals\n *k1 +[1-9]\d* +opens/,
    );
    expect(await site.run(['keys', 'rotate'], { change })).toMatchObject({
      code: 0,
      output: expect.stringMatching(/0 left/),
    });
    expect((await site.run(['keys', 'status'], { change })).output).toMatch(/k1 +0 +opens/);
  }, 60_000);

  it('ends with 2 where the command line is wrong, and with 0 where help was asked for', async () => {
    for (const limit of ['many', '0', '501'])
      expect([limit, (await site.run(['list', '--limit', limit])).code]).toEqual([limit, 2]);
    expect((await site.run(['frobnicate'])).code).toBe(2);
    expect((await site.run(['diagnose', ' '])).code).toBe(1);
    expect(await site.run(['--version'])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    expect(await site.run(['--help'])).toMatchObject({ code: 0, output: expect.stringContaining('doctor') });
  }, 30_000);

  it('E10: prints no token, secret or key, whatever it is asked', () => {
    expect(site.printed.length).toBeGreaterThan(5_000);
    const secrets = [
      ...simulator.ledger.tokens().map(({ value }) => value),
      simulator.clientSecret,
      KEY.slice(3),
      NEXT_KEY.slice(3),
      randomBytes(4).toString('hex'),
    ];
    expect(secrets.filter((secret) => site.printed.includes(secret))).toEqual([]);
  });
});

describe('notion-auth migrate', () => {
  it('lists what is pending, creates the tables once, and needs the variables of the database only', async () => {
    const fresh = new CliSite({ NOTION_AUTH_DATABASE_PATH: 'fresh.sqlite' });
    try {
      const pending = await fresh.run(['migrate', '--dry-run']);
      expect([pending.code, pending.output]).toEqual([0, expect.stringMatching(/^pending {2}\w+\d{13}$/m)]);
      const names = pending.output.match(/\w+\d{13}/g);
      expect(await fresh.run(['migrate', '--dry-run'])).toEqual(pending);
      const run = await fresh.run(['migrate']);
      expect([run.code, run.output.match(/(?<=^run {2})\w+\d{13}$/gm)]).toEqual([0, names]);
      for (const words of [['migrate'], ['migrate', '--dry-run']])
        expect(await fresh.run(words)).toEqual({ code: 0, output: 'No migration is pending.\n' });
    } finally {
      fresh.remove();
    }
  }, 30_000);
});

describe('notion-auth doctor with an outgoing proxy', () => {
  it('says through which proxy requests go, and what to check when it opens no tunnel', async () => {
    const proxy = await ForwardProxy.start();
    proxy.leadsTo = simulator.url;
    const own = new CliSite({
      ...CliSite.settingsFor(simulator, KEY),
      NOTION_AUTH_PROXY: `http://crm:hush@${proxy.host}`,
    });
    await own.run(['migrate']);
    const { code, output } = await own.run(['doctor']);
    expect([code, output]).toEqual([0, expect.stringContaining(`requests go through ${proxy.host}`)]);
    expect(proxy.targets.length).toBeGreaterThan(0);
    proxy.status = 403;
    const refused = await own.run(['doctor']);
    expect([refused.code, refused.output]).toEqual([
      1,
      expect.stringMatching(/FAIL {2}proxy .*opened no tunnel to .*check NOTION_AUTH_PROXY/),
    ]);
    expect(output + refused.output).not.toContain('hush');
    own.remove();
    await proxy.close();
  }, 30_000);
});

describe('notion-auth simulate', () => {
  it('prints every variable an application needs, and shows its grants on a page', async () => {
    const running = site.start(['simulate', '--redirect-uri', 'http://localhost:4100/notion/callback']);
    try {
      const printed = await running.until('bot_id=BOT_ID');
      const url = /^NOTION_API_BASE_URL=(\S+)$/m.exec(printed)![1]!;
      expect(printed).toMatch(/^NOTION_CLIENT_ID=\S+\nNOTION_CLIENT_SECRET=\S+$/m);
      expect(printed).toContain('NOTION_REDIRECT_URIS=http://localhost:4100/notion/callback\n');
      expect(await (await fetch(url)).text()).toContain('No grants yet');
      const expired = await fetch(url, {
        method: 'POST',
        body: new URLSearchParams({ action: 'expire' }),
        redirect: 'manual',
      });
      expect(expired.status).toBe(303);
    } finally {
      await running.stop();
    }
  });
});

describe('notion-auth doctor without a key', () => {
  it('makes no key file, and asks for no ephemeral key to be put back', async () => {
    const bare = new CliSite(CliSite.settingsFor(simulator, ''));
    try {
      const { output } = await bare.run(['doctor']);
      expect(output).toContain('the application makes a development key in ./data/notion-auth.sqlite.key');
      expect(existsSync(join(bare.folder, 'data'))).toBe(false);
      const change = { NOTION_AUTH_ENCRYPTION_KEYS: KEY };
      await bare.run(['import', '-'], { input: lineOf(simulator.grant(), 'owner-1'), change });
      const database = join(bare.folder, 'data', 'notion-auth.sqlite');
      const stored = await new DataSource({ type: 'sqlite', database }).initialize();
      await stored.query(`UPDATE notion_authorization SET key_id = 'ephemeral-0123456789ab'`);
      await stored.destroy();
      const after = await bare.run(['doctor']);
      expect(after.output).toMatch(/warn {2}keys .*ephemeral-0123456789ab.*users must reconnect/);
      expect(after.output).not.toContain('put it back');
    } finally {
      bare.remove();
    }
  });
});
