import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const SRC = resolve(import.meta.dirname, '../../src');

export interface SourceFile {
  /** Path below `src`, with slashes. */
  readonly path: string;
  /** First folder below `src`; empty for the files at its root. */
  readonly folder: string;
  /** Files below `src` that it imports, types included. */
  readonly imports: readonly string[];
  /** Names of the packages that it imports, types included. */
  readonly packages: readonly string[];
}

/** Every source file that ships, with what it imports. */
export function readSourceFiles(): readonly SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .map(readSourceFile);
}

/** `path` and everything below `src` that it reaches, directly or not. */
export function reachableFrom(path: string, files: readonly SourceFile[]): readonly SourceFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Map<string, SourceFile>();
  const visit = (next: string): void => {
    const file = byPath.get(next);
    if (file === undefined || reached.has(next)) return;
    reached.set(next, file);
    file.imports.forEach(visit);
  };
  visit(path);
  return [...reached.values()];
}

function readSourceFile(path: string): SourceFile {
  const text = readFileSync(join(SRC, path), 'utf8');
  const specifiers = ts.preProcessFile(text, true, true).importedFiles.map((imported) => imported.fileName);
  return {
    path,
    folder: path.includes('/') ? path.slice(0, path.indexOf('/')) : '',
    imports: specifiers.filter(isRelative).map((specifier) => belowSrc(path, specifier)),
    packages: specifiers.filter((specifier) => !isRelative(specifier)).map(packageName),
  };
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

function belowSrc(importer: string, specifier: string): string {
  const target = resolve(SRC, dirname(importer), specifier);
  return relative(SRC, target).replace(/\.js$/, '.ts');
}

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
