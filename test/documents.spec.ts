import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { optionsFromEnvironment } from '../src/config/notion-auth.env.js';
import { README, readmeTable, ROOT } from './support/readme.js';

/** Read by others: Node's own switch by `resolveConfig`, the port by the quickstart. */
const READ_BY_OTHERS = ['NODE_ENV', 'PORT'];

describe('the environment', () => {
  const example = readFileSync(resolve(ROOT, '.env.example'), 'utf8');
  const exampleNames = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!);

  it('is in .env.example: every variable that is read, and no other', () => {
    expect([...exampleNames].sort()).toEqual([...variablesRead(), ...READ_BY_OTHERS].sort());
  });

  it('has each variable explained by a comment above it', () => {
    const explained = [...example.matchAll(/^# .+\n([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(explained).toEqual(exampleNames);
  });

  it('is in the README, in the same order', () => {
    expect(readmeTable('variable').map(([name]) => name)).toEqual(exampleNames);
  });
});

describe('CONTRIBUTING', () => {
  const contributing = readFileSync(resolve(ROOT, 'CONTRIBUTING.md'), 'utf8');

  it('has every folder of the sources on its map', () => {
    const folders = readdirSync(resolve(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const missing = folders.filter(({ name }) => !contributing.includes(` ${name}/ `));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('gives a reason for every run-time dependency', () => {
    const { dependencies } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const reasons = [...contributing.matchAll(/^\| `([^`]+)` +\| \S/gm)].map(([, name]) => name);
    expect(reasons.sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe('the tree', () => {
  const texts = trackedFiles().map((file) => ({ file, text: readFileSync(resolve(ROOT, file), 'utf8') }));

  it('names no folder of a machine and no package registry', () => {
    const hints = /\/(?:home|root|Users|work)\/\w|registry\.[a-z]+\.(?:org|com)|\bnpmjs\b/;
    const found = texts.filter(({ file, text }) => file !== 'test/documents.spec.ts' && hints.test(text));
    expect(found.map(({ file }) => file)).toEqual([]);
  });

  it('locks versions and hashes of packages, but not where they were downloaded', () => {
    const { packages } = JSON.parse(readFileSync(resolve(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string }>;
    };
    expect(Object.keys(packages).filter((name) => packages[name]!.resolved !== undefined)).toEqual([]);
  });

  it('has documents whose links lead somewhere', () => {
    const broken = texts
      .filter(({ file }) => file.endsWith('.md'))
      .flatMap(({ file, text }) => linksOf(text).map((link) => ({ file, link })))
      .filter(({ file, link }) => !existsSync(resolve(ROOT, dirname(file), link)));
    expect(broken).toEqual([]);
  });

  it('has a README whose links to its own sections lead somewhere', () => {
    const headings = [...README.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
    const links = [...README.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!);
    expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });
});

/** The variables that the library asks for, without their twins that name a file. */
function variablesRead(): string[] {
  const asked = new Set<string>();
  optionsFromEnvironment(
    new Proxy<Record<string, string>>(
      {},
      {
        get: (_target, name) => {
          asked.add(String(name));
          return undefined;
        },
      },
    ),
  );
  return [...asked].filter((name) => !name.endsWith('_FILE'));
}

/** Files that are committed, or about to be. */
function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((file) => statSync(resolve(ROOT, file), { throwIfNoEntry: false })?.isFile() === true);
}

/** Targets below this repository, without their anchors. */
function linksOf(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
