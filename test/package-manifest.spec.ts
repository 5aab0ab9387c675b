import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as root from 'nestjs-notion-auth';
import { reachableFrom, readSourceFiles } from './support/source-imports.js';

const ROOT = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
  devDependencies: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
};
const files = readSourceFiles();
const optionalPeers = Object.keys(manifest.peerDependenciesMeta);

/** What applications can import from the root. A change here is a change of the public API. */
const ROOT_EXPORTS = [
  'AccessToken',
  'AuthorizationDirectory',
  'AuthorizationStore',
  'Clock',
  'FilePairJournal',
  'KeyRingCipher',
  'NOTION_AUTH_CONFIG',
  'NOTION_AUTH_ERROR_CODES',
  'NoPairJournal',
  'NotionAmbiguousAuthorizationError',
  'NotionAuthError',
  'NotionAuthExceptionFilter',
  'NotionAuthModule',
  'NotionAuthorization',
  'NotionAuthorizationNotFoundError',
  'NotionCallback',
  'NotionCallbackGuard',
  'NotionCallbackRefusedError',
  'NotionClientFactory',
  'NotionConfigError',
  'NotionConnectDeniedError',
  'NotionConnectFailedError',
  'NotionConnectFilter',
  'NotionConnectService',
  'NotionContext',
  'NoMetrics',
  'NoTracing',
  'NotionDelivery',
  'NotionKeyError',
  'NotionKeyRotation',
  'NotionMetrics',
  'NotionOAuth',
  'NotionOAuthClient',
  'NotionOtherGrantError',
  'NotionOwnerInvalidError',
  'NotionOwnerRequiredError',
  'NotionReconnectRequiredError',
  'NotionRefreshBusyError',
  'NotionRefreshFailedError',
  'NotionRefreshService',
  'NotionRefreshSweep',
  'NotionRequestRefusedError',
  'NotionScope',
  'NotionSdk',
  'NotionStorageUnsupportedError',
  'NotionStoreUnavailableError',
  'NotionTokenInterceptor',
  'OnNotionAuth',
  'EventOutbox',
  'NotionTokenService',
  'NotionTracing',
  'NotionWebhook',
  'NotionWebhookGuard',
  'NotionWebhookPairing',
  'NotionWebhookRefusedError',
  'PairJournal',
  'RevocationOutbox',
  'Secret',
  'SystemClock',
  'TokenCipher',
  'TypeOrmAuthorizationStore',
  'TypeOrmEventOutbox',
  'VerifiedCallback',
  'createOwnDataSource',
  'diagnose',
  'EnvironmentKeyProvider',
  'FileKeyProvider',
  'KeyProvider',
  'generateEncryptionKey',
  'notionAuthConfig',
  'notionAuthEntities',
  'notionAuthMigrations',
  'ownDataSourceOptions',
];

/** Loaded by TypeORM at run time, as the application chooses its database. */
const LOADED_BY_TYPEORM = ['better-sqlite3', 'mysql2', 'pg', 'sqlite3'];
/** Nest needs it before any decorator runs; the application imports it. */
const LOADED_BY_NEST = ['reflect-metadata'];

describe('the package', () => {
  it('exports from its root what was reviewed, and nothing else', () => {
    expect(Object.keys(root).sort()).toEqual([...ROOT_EXPORTS].sort());
  });

  it('needs no optional peer for anything that its root reaches, in code or in types', () => {
    const needy = reachableFrom('index.ts', files).filter((file) =>
      file.packages.some((name) => optionalPeers.includes(name)),
    );
    expect(needy.map((file) => file.path)).toEqual([]);
  });

  it('declares every package that it imports', () => {
    const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
    const imported = new Set(
      files.flatMap((file) => file.packages).filter((name) => !name.startsWith('node:')),
    );
    expect([...imported].filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('declares no package that it does not use', () => {
    const used = new Set([
      ...files.flatMap((file) => file.packages),
      ...LOADED_BY_TYPEORM,
      ...LOADED_BY_NEST,
    ]);
    const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
    expect(declared.filter((name) => !used.has(name))).toEqual([]);
  });

  it('E18: takes no TypeORM that runs code out of generated migrations (CVE-2026-73651)', () => {
    // Fixed in 0.3.31 and in 1.1.0; 1.0 never was.
    const floors = manifest.peerDependencies['typeorm']!.split('||').map((range) => range.trim());
    expect(floors.every((floor) => /^\^\d+\.\d+\.\d+$/.test(floor))).toBe(true);
    const versions = floors.map((floor) => floor.slice(1).split('.').map(Number) as [number, number, number]);
    for (const [major, minor, patch] of versions) {
      const isFixed = major === 0 ? minor === 3 && patch >= 31 : major === 1 && minor >= 1;
      expect([`${major}.${minor}.${patch}`, isFixed]).toEqual([`${major}.${minor}.${patch}`, true]);
    }
  });

  it('names a source for every entry of its exports map', () => {
    const entries = Object.values(manifest.exports).filter((entry) => typeof entry === 'object');
    const missing = entries
      .map((entry) => entry.default.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts'))
      .filter((source) => !existsSync(resolve(ROOT, source)));
    expect(missing).toEqual([]);
  });

  it('can be loaded with require: every entry has a default condition and nothing awaits at the top level', () => {
    for (const entry of Object.values(manifest.exports)) {
      if (typeof entry === 'object') expect(Object.keys(entry)).toEqual(['types', 'default']);
    }
    const awaiting = files.filter((file) =>
      /^(?:const .*= )?await /m.test(readFileSync(resolve(ROOT, 'src', file.path), 'utf8')),
    );
    expect(awaiting.map((file) => file.path)).toEqual([]);
  });

  it('carries the packages that its users were promised', () => {
    const everything = {
      ...manifest.devDependencies,
      ...manifest.dependencies,
      ...manifest.peerDependencies,
    };
    for (const name of [
      '@nestjs/core',
      '@nestjs/common',
      '@nestjs/config',
      '@nestjs/typeorm',
      'typeorm',
      'sqlite3',
      '@nestjs/terminus',
      '@nestjs/schedule',
      'jest',
      'supertest',
    ]) {
      expect(Object.keys(everything)).toContain(name);
    }
    for (const path of [
      'src',
      'test',
      'package.json',
      'tsconfig.json',
      'nest-cli.json',
      'ormconfig.ts',
      '.env.example',
    ]) {
      expect(existsSync(resolve(ROOT, path))).toBe(true);
    }
  });
});
