// What users install: packs the package, installs the tarball into an application of its own, and loads and type-checks
// every entry of the exports map there; the root and the testing kit while no optional peer is installed. Then the same
// tarball at work there, and in an application on the oldest major versions of Nest and Terminus that are promised.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from './run.mjs';

const REPOSITORY = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
const optionalPeers = Object.keys(manifest.peerDependenciesMeta);
const requiredPeers = Object.keys(manifest.peerDependencies).filter((name) => !optionalPeers.includes(name));
/** The entries that ask for an optional peer, and which one. */
const NEEDED_PEER = {
  './health': '@nestjs/terminus',
  './opentelemetry': '@opentelemetry/api',
  './prometheus': 'prom-client',
  './schedule': '@nestjs/schedule',
};

/** The last releases of the oldest major versions among the peers. */
const NEST_11 = {
  '@nestjs/common': '11.2.10',
  '@nestjs/config': '4.0.4',
  '@nestjs/core': '11.2.10',
  '@nestjs/platform-express': '11.2.10',
  '@nestjs/schedule': '6.1.3',
  '@nestjs/terminus': '11.1.1',
  '@nestjs/typeorm': '11.0.3',
};

/** A test as an application writes it. */
const JEST_TEST = `import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NotionAuthModule, NotionConnectService } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';

test('the module starts, and starts a connect', async () => {
  const simulator = await NotionSimulator.start();
  const { clientId, clientSecret, url: apiBaseUrl } = simulator;
  const module = NotionAuthModule.forRoot({
    clientId,
    clientSecret,
    apiBaseUrl,
    redirectUris: ['http://localhost:3000/notion/callback'],
    databaseFile: ':memory:',
    resolveOwner: () => 'ada',
  });
  const application = await NestFactory.create(module, { logger: false });
  await application.init();
  const { url } = await application.get(NotionConnectService).authorizeUrl({ ownerId: 'ada' });
  expect(new URL(url).origin).toBe(apiBaseUrl);
  await application.close();
  await simulator.close();
});
`;

const folder = await mkdtemp(join(tmpdir(), 'notion-auth-packed-'));
const application = join(folder, 'application');
const application11 = join(folder, 'application-11');
try {
  await createApplication(application);
  await createApplication(application11);
  const tarball = await pack();
  await install(application, tarball, ...requiredPeers.map(asDeveloped));
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  await load(entries.filter((entry) => !(entry in NEEDED_PEER)));
  await install(application, ...Object.values(NEEDED_PEER).map(asDeveloped));
  await load(entries);
  await typeCheck(entries);
  await checkContents();
  await install(application, asDeveloped('@nestjs/platform-express'));
  await tryAtWork(application);
  await installNest11(tarball);
  await tryWithoutNativePart(application11);
  await tryAtWork(application11);
  await tryInJest(application11);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function createApplication(path) {
  await mkdir(path);
  const description = { name: 'an-application', version: '1.0.0', private: true };
  await writeFile(join(path, 'package.json'), JSON.stringify(description));
}

async function pack() {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: REPOSITORY });
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  return join(folder, tarball);
}

function install(cwd, ...packages) {
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  return run('npm', ['install', ...quietly, ...packages], { cwd });
}

/** With the version this repository is developed against. */
function asDeveloped(name) {
  return `${name}@${manifest.devDependencies[name]}`;
}

async function load(entries) {
  for (const entry of entries) {
    const specifier = specifierOf(entry);
    const count = `console.log(Object.keys(loaded).length + ' exports')`;
    const esm = `import 'reflect-metadata'; const loaded = await import('${specifier}'); ${count}`;
    const commonJs = `require('reflect-metadata'); const loaded = require('${specifier}'); ${count}`;
    console.log(`import  ${specifier}`);
    await run(process.execPath, ['--input-type=module', '--eval', esm], { cwd: application });
    console.log(`require ${specifier}`);
    await run(process.execPath, ['--input-type=commonjs', '--eval', commonJs], { cwd: application });
  }
}

/** An ESM and a CommonJS file that name every entry, under the settings of a plain new application. */
async function typeCheck(entries) {
  const imports = entries.map((entry, index) => `import * as entry${index} from '${specifierOf(entry)}';`);
  const uses = entries.map((_, index) => `entry${index}`).join(', ');
  const source = `${imports.join('\n')}\nexport const loaded: object[] = [${uses}];\n`;
  await writeFile(join(application, 'esm.mts'), source);
  await writeFile(join(application, 'common-js.cts'), source);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(REPOSITORY, 'node_modules/@types')],
  };
  await writeFile(
    join(application, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['esm.mts', 'common-js.cts'] }),
  );
  console.log('tsc     esm.mts, common-js.cts');
  await run(process.execPath, [join(REPOSITORY, 'node_modules/typescript/bin/tsc'), '-p', application]);
}

/** The example of an environment, no test, and no source map that leads to a file which is not there. */
async function checkContents() {
  const installed = join(application, 'node_modules', manifest.name);
  const files = await readdir(installed, { recursive: true });
  const unwanted = files.filter((file) => /\.spec\.|\.d\.ts\.map$|(^|\/)\.env(?!\.example$)/.test(file));
  if (unwanted.length > 0) throw new Error(`The tarball holds ${unwanted.join(', ')}`);
  if (!files.includes('.env.example')) throw new Error('The tarball lacks .env.example.');
  for (const file of files.filter((name) => name.endsWith('.js.map'))) {
    const { sourcesContent } = JSON.parse(await readFile(join(installed, file), 'utf8'));
    if (sourcesContent === undefined) throw new Error(`${file} leads to a source that is not packed.`);
  }
  console.log(`${files.length} files and folders in the tarball`);
}

async function installNest11(tarball) {
  const nest = Object.entries(NEST_11).map(([name, version]) => `${name}@${version}`);
  const others = requiredPeers.filter((name) => !(name in NEST_11)).map(asDeveloped);
  await install(application11, tarball, ...nest, ...others);
}

/** As package managers leave a driver whose install script they blocked. */
async function tryWithoutNativePart(application) {
  await install(application, asDeveloped('sqlite3'));
  const start = `require('reflect-metadata');
    const { Module } = require('@nestjs/common');
    const { NotionAuthModule } = require('nestjs-notion-auth');
    class Application {}
    Module({ imports: [NotionAuthModule.forRoot({ clientId: '0b2b916c-8742-4fad-ba66-3472e07fc3f1', clientSecret: 'secret_' + 'a1B2c3D4'.repeat(6), redirectUris: ['http://localhost:3000/notion/callback'], databaseFile: ':memory:', resolveOwner: () => 'ada' })] })(Application);
    require('@nestjs/core').NestFactory.create(Application, { logger: false, abortOnError: false }).catch(({ message }) => console.log(message));`;
  const printed = await run(process.execPath, ['--eval', start], { cwd: application });
  if (!/sqlite3 is installed, but its native part cannot be loaded .*npm rebuild sqlite3/.test(printed))
    throw new Error('A driver without its native part is not named.');
  await rm(join(application, 'node_modules/sqlite3'), { recursive: true });
}

/** With what the README says about Jest in a CommonJS application, in an application as `nest new` makes it. */
async function tryInJest(application) {
  await install(application, 'ts-jest@29.4.15', 'jest@30.5.2', 'typescript@5.9.3', '@types/jest@30.0.0');
  const readme = await readFile(join(REPOSITORY, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## Jest in a CommonJS application'));
  const [config, tsconfig] = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) =>
    JSON.parse(json),
  );
  const compilerOptions = {
    module: 'nodenext',
    target: 'ES2023',
    emitDecoratorMetadata: true,
    experimentalDecorators: true,
    isolatedModules: true,
    skipLibCheck: true,
  };
  await writeFile(join(application, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await writeFile(join(application, 'tsconfig.jest.json'), JSON.stringify(tsconfig));
  await writeFile(
    join(application, 'jest.config.json'),
    JSON.stringify({ rootDir: '.', testRegex: 'notion\\.spec\\.ts$', ...config }),
  );
  await writeFile(join(application, 'notion.spec.ts'), JEST_TEST);
  await run(process.execPath, ['node_modules/jest/bin/jest.js', '-c', 'jest.config.json'], {
    cwd: application,
  });
}

async function tryAtWork(application) {
  // The driver is compiled already, and knows nothing of Nest.
  const driver = 'node_modules/sqlite3';
  await symlink(join(REPOSITORY, driver), join(application, driver));
  await run(process.execPath, [join(REPOSITORY, 'scripts/try-as-commonjs.mjs'), application]);
}

function specifierOf(entry) {
  return manifest.name + entry.slice(1);
}
