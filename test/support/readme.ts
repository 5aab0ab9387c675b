import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

export const ROOT = resolve(import.meta.dirname, '../..');
export const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

/** Where the examples stand while they are compiled: nowhere on the disk, but below the packages they import. */
const EXAMPLES = resolve(ROOT, 'readme-examples');

/** Against the built package, as applications see it. */
const STRICT: ts.CompilerOptions = {
  strict: true,
  declaration: true,
  exactOptionalPropertyTypes: true,
  paths: {},
};

/**
 * The TypeScript blocks of the README, by the file name in their first line. A later block of the same file is a variant of
 * it, and has its position in its name.
 */
export function readmeExamples(): ReadonlyMap<string, string> {
  const blocks = [...README.matchAll(/^```ts\n(?:\/\/ (\S+)\n)?([\s\S]*?)^```$/gm)];
  const examples = new Map<string, string>();
  for (const [index, [, name = `block-${String(index)}.ts`, code]] of blocks.entries())
    examples.set(examples.has(name) ? name.replace(/\.ts$/, `.${String(index)}.ts`) : name, code!);
  return examples;
}

/** What the compiler says against them, as one application under this repository's own settings and stricter ones. */
export function compileExamples(examples: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(resolve(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options: own } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  // Applications may be stricter than we are.
  const options = { ...own, ...STRICT };
  const files = new Map([...examples].map(([name, code]) => [resolve(EXAMPLES, name), code]));
  const program = ts.createProgram([...files.keys()], options, hostWith(files, options));
  return ts
    .getPreEmitDiagnostics(program)
    .map((found) => ts.formatDiagnostic(found, formatHost))
    .map((text) => text.trim());
}

/** The rows of the table whose first column has this heading, cell by cell, without the quotes of code. */
export function readmeTable(heading: string): string[][] {
  const lines = README.split('\n');
  const begin = lines.findIndex((line) => cellsOf(line)[0] === heading);
  const length = lines.slice(begin).findIndex((line) => !line.startsWith('|'));
  return lines.slice(begin + 2, begin + length).map(cellsOf);
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));
}

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => EXAMPLES,
  getNewLine: () => '\n',
};

function hostWith(files: ReadonlyMap<string, string>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  return {
    ...host,
    fileExists: (path) => files.has(path) || host.fileExists(path),
    readFile: (path) => files.get(path) ?? host.readFile(path),
    directoryExists: (path) => folders.has(path) || host.directoryExists?.(path) !== false,
    getSourceFile: (path, ...rest) => {
      const code = files.get(path);
      return code === undefined
        ? host.getSourceFile(path, ...rest)
        : ts.createSourceFile(path, code, rest[0], true);
    },
  };
}
