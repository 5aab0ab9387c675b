import { readSourceFiles, type SourceFile } from './support/source-imports.js';

/** Which folders below `src` a folder may import from, besides itself. The files at the root of `src` wire them all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  logging: ['domain'],
  config: ['logging', 'domain'],
  notion: ['config', 'logging', 'domain'],
  storage: ['config', 'logging', 'domain'],
  encryption: ['config', 'logging', 'domain'],
  journal: ['config', 'logging', 'domain'],
  refresh: ['diagnosis', 'config', 'logging', 'domain'],
  connect: ['refresh', 'config', 'logging', 'domain'],
  outbound: ['refresh', 'config', 'logging', 'domain'],
  webhooks: ['refresh', 'config', 'logging', 'domain'],
  events: ['refresh', 'config', 'logging', 'domain'],
  health: ['refresh', 'config', 'logging', 'domain'],
  schedule: ['refresh', 'config', 'logging', 'domain'],
  // Of health it takes the judgement, which asks for no Terminus.
  console: ['health', 'connect', 'refresh', 'diagnosis', 'config', 'logging', 'domain'],
  diagnosis: ['domain'],
  prometheus: ['domain'],
  opentelemetry: ['domain'],
  // A program of its own, which starts the whole module.
  cli: [
    '',
    'connect',
    'refresh',
    'encryption',
    'notion',
    'storage',
    'journal',
    'diagnosis',
    'testing',
    'config',
    'logging',
    'domain',
  ],
  // Stands in for Notion, so it knows nothing of us.
  testing: [],
};

/** Packages that only these folders may know; `''` is the root of `src`. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  typeorm: ['storage', ''],
  '@nestjs/typeorm': ['storage', ''],
  '@nestjs/terminus': ['health'],
  '@nestjs/schedule': ['schedule'],
  '@nestjs/config': ['config'],
  '@notionhq/client': ['outbound'],
  'prom-client': ['prometheus'],
  '@opentelemetry/api': ['opentelemetry'],
};

const files = readSourceFiles();

function isIn(folder: string, imported: string): boolean {
  return folder === '' ? !imported.includes('/') : imported.startsWith(`${folder}/`);
}

describe('the import directions', () => {
  it('know every folder', () => {
    const folders = new Set(files.map((file) => file.folder).filter((folder) => folder !== ''));
    expect([...folders].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it.each(Object.entries(MAY_IMPORT))('let %s import nothing but %j', (folder, allowed) => {
    const strays = inFolder(folder).flatMap((file) =>
      file.imports
        .filter((imported) => ![folder, ...allowed].some((open) => isIn(open, imported)))
        .map((imported) => `${file.path} imports ${imported}`),
    );
    expect(strays).toEqual([]);
  });

  it.each(Object.entries(ONLY_IN))('keep %s in %j', (packageName, folders) => {
    const strays = files.filter(
      (file) => file.packages.includes(packageName) && !folders.includes(file.folder),
    );
    expect(strays.map((file) => file.path)).toEqual([]);
  });

  it('keep every framework out of the domain', () => {
    const packages = inFolder('domain').flatMap((file) => file.packages);
    expect(packages.filter((name) => !name.startsWith('node:'))).toEqual([]);
  });

  it('hold no cycle', () => {
    expect(findCycle(files)).toBeNull();
  });
});

function inFolder(folder: string): readonly SourceFile[] {
  return files.filter((file) => file.folder === folder);
}

function findCycle(all: readonly SourceFile[]): readonly string[] | null {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): readonly string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const imported of byPath.get(path)?.imports ?? []) {
      const cycle = visit(imported, [...trail, path]);
      if (cycle !== null) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const file of all) {
    const cycle = visit(file.path, []);
    if (cycle !== null) return cycle;
  }
  return null;
}
