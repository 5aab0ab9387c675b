import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QuickstartChild } from '../support/browser/quickstart.child.js';

const MAIN = resolve(import.meta.dirname, '../../build/examples/quickstart/main.js');
const PATHS = ['/', '/console', '/notion/connect', '/health/ready', '/metrics', '/not-there'];

/** Needs the build (`npm test` makes it). */
describe('the quickstart', () => {
  let folder: string;
  let child: QuickstartChild;
  let port: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quickstart-host-'));
    child = await QuickstartChild.start(folder, 0, MAIN);
    ({ port } = new URL(child.url));
  }, 60_000);

  afterAll(async () => {
    await child.stop();
    rmSync(folder, { recursive: true });
  });

  async function askAs(host: string, path: string): Promise<{ status: number | undefined; body: string }> {
    const request = get({ host: '127.0.0.1', port, path, headers: { host }, agent: false });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return { status: answer.statusCode, body: await text(answer) };
  }

  it.each(['localhost', '127.0.0.1', '[::1]', 'LocalHost'])('is served as %s with its port', async (name) => {
    expect(await askAs(`${name}:${port}`, '/metrics')).toMatchObject({ status: 200 });
  });

  it.each(PATHS)('serves nothing of %s under the name of another site (DNS rebinding)', async (path) => {
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `evil.example@localhost:${port}`,
      'localhost',
      'localhost:1',
      `0.0.0.0:${port}`,
    ]) {
      expect([host, await askAs(host, path)]).toEqual([
        host,
        { status: 421, body: `This is the quickstart. Open ${child.url}\n` },
      ]);
    }
  });
});
