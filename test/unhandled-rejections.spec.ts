import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from './support/readme.js';

/** Says that it has handled the rejection, which only `strict` does not believe. */
const CARELESS = `process.on('unhandledRejection', () => undefined);
Promise.reject(new Error('nobody waits for this'));
setTimeout(() => undefined, 5_000);`;

describe('a rejection that nobody handles', () => {
  it('J14: ends every process that a test starts', async () => {
    const child = spawn(process.execPath, ['-e', CARELESS], { stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([1, null]);
  });

  it('J14: ends the process that runs the tests', () => {
    const { scripts } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['test']).toContain(' --unhandled-rejections=strict ');
  });
});
