import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ATTEMPT_OUTCOMES } from '../src/domain/refresh-outcome.js';
import { logEventsIn } from './support/log-events.js';
import { ROOT } from './support/readme.js';
import { readSourceFiles } from './support/source-imports.js';

const TABLES = readFileSync(resolve(ROOT, 'docs/logs.md'), 'utf8');
const [FACTS = '', EVENTS = ''] = TABLES.split('\n## ').slice(1);
const LINE = readFileSync(resolve(ROOT, 'src/logging/log-line.ts'), 'utf8');

/** What stands in backticks in the first column. */
function namesIn(table: string): string[] {
  const cells = [...table.matchAll(/^\| (`.+?) +\|/gm)].map(([, cell]) => cell!);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
}

/** Whether a documented name is what a line says, where `…` is filled in when it is written. */
function isOf(event: string, name: string): boolean {
  return event === name || filledIn(event).test(name);
}

function filledIn(event: string): RegExp {
  const parts = event.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`);
}

/** Without those that are nothing but a value: warnings of the configuration, in words. */
const written = new Set(
  readSourceFiles()
    .filter(({ folder }) => folder !== 'logging')
    .flatMap(({ path }) => logEventsIn(resolve(ROOT, 'src', path)))
    .filter((event) => event !== '…'),
);

describe('docs/logs.md', () => {
  it('has every fact that a line can have, and no other', () => {
    const facts = [...LINE.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name!);
    expect(facts.length).toBeGreaterThan(15);
    expect(namesIn(FACTS).sort()).toEqual(facts.sort());
  });

  it('has every event that is written, and no other', () => {
    const documented = namesIn(EVENTS);
    expect(documented.length).toBeGreaterThan(40);
    expect([...written].filter((event) => !documented.some((name) => isOf(event, name)))).toEqual([]);
    expect(documented.filter((name) => ![...written].some((event) => isOf(event, name)))).toEqual([]);
  });

  it('has a line for each way in which an attempt, a call or a webhook can fail', () => {
    const outcomes = ATTEMPT_OUTCOMES.filter((outcome) => outcome !== 'success');
    const followUps = ['refused', 'blocked', 'unauthorized'].map((kind) => `follow_up_${kind}`);
    const wanted = [
      ...outcomes.map((outcome) => `refresh ${outcome}`),
      ...[...followUps, 'handler_failed'].map((kind) => `webhook ${kind}`),
    ];
    expect(namesIn(EVENTS)).toEqual(expect.arrayContaining(wanted));
  });
});
