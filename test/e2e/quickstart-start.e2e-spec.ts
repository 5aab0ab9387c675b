import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionRefreshFailedError } from 'nestjs-notion-auth';
import { explainProblem } from '../../examples/quickstart/actions/problem.words.js';
import { QuickstartChild } from '../support/browser/quickstart.child.js';

const MAIN = resolve(import.meta.dirname, '../../build/examples/quickstart/main.js');

/** Needs the build (`npm test` makes it). */
describe('the start of the quickstart', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'quickstart-start-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const start = (settings: Readonly<Record<string, string>>) =>
    QuickstartChild.start(folder, 0, MAIN, settings);

  it.each(['javascript:alert(1)', 'data:text/html,hello', 'mailto:ada@example.com'])(
    'names NOTION_REDIRECT_URIS for %s, without a stack',
    async (uri) => {
      const starting = start({ NOTION_REDIRECT_URIS: uri });
      await expect(starting).rejects.toThrow('redirectUris (NOTION_REDIRECT_URIS)');
      await expect(starting).rejects.not.toThrow(/TypeError|\n\s+at /);
    },
    60_000,
  );

  it('refuses production without credentials, and names both variables', async () => {
    await expect(start({ NODE_ENV: 'production' })).rejects.toThrow(
      /NODE_ENV is production, and NOTION_CLIENT_ID and NOTION_CLIENT_SECRET are not set/,
    );
  });

  it('keeps its key as any application does', async () => {
    const child = await start({});
    await child.stop();
    expect(statSync(join(folder, 'data/notion-auth.sqlite.key')).mode & 0o777).toBe(0o600);
  }, 60_000);

  it('does not say that nothing is lost while an outcome is unknown', () => {
    const { headline, nextStep } = explainProblem(new NotionRefreshFailedError('a-1', 'unknown', {}, 1_000));
    expect(`${headline} ${nextStep}`).not.toMatch(/nothing is lost/i);
    expect(headline).toBe('The outcome of the refresh is not known yet.');
  });
});
