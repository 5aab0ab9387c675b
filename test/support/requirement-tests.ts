import { readdirSync, readFileSync } from 'node:fs';

/** A test whose title, or the title of the suite it stands in, begins with the ids of requirements. */
export interface RequirementTest {
  readonly ids: readonly string[];
  readonly title: string;
  readonly file: string;
}

/** `A1: …` or `D10, E12: …` at the beginning of a string, up to its end. */
const TITLE = /(['"`])([A-J]\d{1,2}(?:, [A-J]\d{1,2})*: (?:\\.|(?!\1)[^\\\n])*)\1/g;

/** Read from the sources: listing the tests by running their suites would take minutes. */
export function requirementTests(root: string): readonly RequirementTest[] {
  const files = [...sourcesIn(root, 'src'), ...sourcesIn(root, 'test')].filter(holdsTests).sort();
  return files.flatMap((file) => {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    const titles = [...text.matchAll(TITLE)].map(([, , title]) => title!.replaceAll("\\'", "'"));
    return [...new Set(titles)].map((title) => ({ ids: idsOf(title), title, file }));
  });
}

function sourcesIn(root: string, folder: string): string[] {
  return readdirSync(`${root}/${folder}`, { recursive: true }).map((name) => `${folder}/${String(name)}`);
}

function holdsTests(file: string): boolean {
  return /(?:[.-]spec|\.contract)\.ts$/.test(file);
}

function idsOf(title: string): string[] {
  return title.slice(0, title.indexOf(':')).split(', ');
}
