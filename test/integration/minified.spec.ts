import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { minify } from '@swc/core';

const ROOT = resolve(import.meta.dirname, '../..');
const DIST = join(ROOT, 'dist');

const PROGRAM = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NotionAuthModule, NotionTokenService, NotionConfigError, notionAuthMigrations } from './index.js';
class App {}
Module({ imports: [NotionAuthModule.forRoot({
  clientId: '0b2b916c-8742-4fad-ba66-3472e07fc3f1', clientSecret: 'secret_abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk',
  redirectUris: ['http://localhost:3000/notion/callback'], databaseFile: process.argv[2], resolveOwner: () => 'ada' })] })(App);
const app = await NestFactory.create(App, { logger: false, abortOnError: false });
await app.init();
const error = await app.get(NotionTokenService).getAccessToken('none').catch((reason) => reason);
console.log(JSON.stringify({
  className: NotionConfigError.name,
  names: [error.name, new NotionConfigError(['x']).name],
  migrations: ['postgres', 'mysql', 'sqlite'].flatMap((type) => notionAuthMigrations(type).map((Migration) => new Migration().name)),
}));
await app.close();
`;

/** A bundle has no exports between its modules, so that classes lose their names. */
function withoutExportedNames(code: string): string {
  const names: string[] = [];
  const inner = code.replace(/^export (?=(?:abstract )?class (\w+))/gm, (_, name: string) => {
    names.push(name);
    return '';
  });
  return names.length === 0 ? code : `${inner}\nexport { ${names.join(', ')} };\n`;
}

describe('the package in a minified bundle', () => {
  let folder: string;

  beforeAll(async () => {
    mkdirSync(join(ROOT, 'build'), { recursive: true });
    folder = mkdtempSync(join(ROOT, 'build', 'minified-'));
    for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.js')) continue;
      const { code } = await minify(withoutExportedNames(readFileSync(join(DIST, name), 'utf8')), {
        module: true,
        compress: true,
        mangle: { toplevel: true },
      });
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), code);
    }
    writeFileSync(join(folder, 'program.js'), PROGRAM);
  }, 120_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('starts, migrates twice over, and names errors and migrations as ever', async () => {
    for (const start of ['first', 'second']) {
      const { stdout } = await promisify(execFile)(process.execPath, [
        join(folder, 'program.js'),
        join(folder, 'notion-auth.sqlite'),
      ]);
      const { className, names, migrations } = JSON.parse(stdout) as {
        className: string;
        names: string[];
        migrations: string[];
      };
      expect([start, className]).not.toContain('NotionConfigError');
      expect(names).toEqual(['NotionAuthorizationNotFoundError', 'NotionConfigError']);
      expect(new Set(migrations).size).toBe(12);
      expect(migrations.every((name) => /^[A-Z]\w+\d{13}$/.test(name))).toBe(true);
    }
  }, 60_000);
});
