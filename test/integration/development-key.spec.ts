import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { NotionApp, type NotionAppOptions } from '../support/notion-app.js';
import { temporaryFolder } from '../support/storage.harness.js';

describe('development without a key', () => {
  let simulator: NotionSimulator;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let databaseFile: string;
  let keyFile: string;
  let lines: string[];

  beforeEach(async () => {
    simulator = await NotionSimulator.start();
    folder = await temporaryFolder();
    databaseFile = join(folder.path, 'new', 'app.sqlite');
    keyFile = `${databaseFile}.key`;
    lines = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void lines.push(String(line)));
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await simulator.close();
    await folder.remove();
  });

  const start = (options: NotionAppOptions = {}) =>
    NotionApp.start(simulator, { databaseFile, encryptionKeys: [], ...options });

  it('keeps a key beside the embedded database, named in the log, and decrypts with it after a restart', async () => {
    const first = await start();
    const { id } = await first.keep(simulator.grant());
    const token = (await first.tokens.getAccessToken(id)).reveal();
    await first.close();
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(lines.join('\n')).toContain(`development key in ${keyFile}`);
    expect(lines.join('\n')).not.toContain(readFileSync(keyFile, 'utf8').trim().split(':')[1]);

    const second = await start();
    expect((await second.tokens.getAccessToken(id)).reveal()).toBe(token);
    await second.close();
  });

  it('makes no file in production, none for a database in memory, and none where keys are configured', async () => {
    await expect(start({ production: true })).rejects.toThrow('are required in production');
    await (await start({ databaseFile: ':memory:' })).close();
    const key = 'k1:UG7lXwJ9b3f1oQm2Zc8sT4vYpE0rKdAhNiBuWxLyCzg='.split(':')[1]!;
    await (await start({ encryptionKeys: [{ id: 'k1', key }] })).close();
    expect([existsSync(keyFile), existsSync(':memory:.key')]).toEqual([false, false]);
  });

  it('makes no file for a database that other processes share', async () => {
    const options = { databaseFile: undefined, databaseUrl: 'postgres://user@127.0.0.1:9/none' };
    await expect(start(options)).rejects.toThrow('are required with a database that other processes share');
  });

  it('says what to do about a key file that is damaged, and replaces nothing', async () => {
    await (await start()).close();
    writeFileSync(keyFile, 'development:short\n');
    await expect(start()).rejects.toThrow(`${keyFile} holds no usable key; restore it, or delete it`);
    expect(readFileSync(keyFile, 'utf8')).toBe('development:short\n');
  });

  it('says which file cannot be made', async () => {
    writeFileSync(join(folder.path, 'file'), '');
    const below = join(folder.path, 'file', 'app.sqlite');
    await expect(start({ databaseFile: below })).rejects.toThrow(`${below}.key cannot be made or read (`);
  });
});
