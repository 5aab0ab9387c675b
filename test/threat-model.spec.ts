import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { requirementTests } from './support/requirement-tests.js';

const ROOT = resolve(import.meta.dirname, '..');
const DOCUMENT = readFileSync(resolve(ROOT, 'docs/threat-model.md'), 'utf8');

/** How many requirements each section has; ids that were merged with a neighbour are not used again. */
const REQUIREMENTS = 137;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly title: string;
  readonly files: readonly string[];
}

const rows: readonly Row[] = DOCUMENT.split('\n')
  .filter((line) => /^\| [A-J]\d+ /.test(line))
  .map((line) => {
    const [, id = '', text = '', title = '', files = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { id, text, title: unquoted(title), files: files.split(', ').map(unquoted) };
  });
const tests = requirementTests(ROOT);

/** A cell in backticks, its bars escaped for the table. */
function unquoted(cell: string): string {
  return cell.replace(/^`+ ?| ?`+$/g, '').replaceAll('\\|', '|');
}

function testsOf(id: string) {
  return tests.filter(({ ids }) => ids.includes(id));
}

describe('the threat model', () => {
  it('has a line for each requirement, in order, none twice', () => {
    const ids = rows.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(REQUIREMENTS);
    const sorted = [...ids].sort(
      (one, other) =>
        one.charCodeAt(0) - other.charCodeAt(0) || Number(one.slice(1)) - Number(other.slice(1)),
    );
    expect(ids).toEqual(sorted);
  });

  it('knows every id that a test carries', () => {
    const known = new Set(rows.map(({ id }) => id));
    expect([...new Set(tests.flatMap(({ ids }) => ids))].filter((id) => !known.has(id))).toEqual([]);
  });

  it.each(rows.map((row) => [row.id, row] as const))(
    'names a test of %s and every file with one',
    (id, row) => {
      expect(row.text.length).toBeGreaterThan(10);
      expect(testsOf(id).map(({ title }) => title)).toContain(row.title);
      expect(row.files).toEqual([...new Set(testsOf(id).map(({ file }) => file))]);
      expect(row.files.filter((file) => !existsSync(resolve(ROOT, file)))).toEqual([]);
    },
  );

  it('is where README and SECURITY send the reader', () => {
    for (const name of ['README.md', 'SECURITY.md']) {
      expect(readFileSync(resolve(ROOT, name), 'utf8')).toContain('docs/threat-model.md');
    }
  });
});
