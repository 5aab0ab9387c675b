import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { COUNTERS, GAUGES, HISTOGRAMS, seriesOf, type Instrument } from '../src/domain/instruments.js';
import { reportMissing } from './support/missing-program.js';
import { ROOT } from './support/readme.js';

const PROMTOOL = '/usr/bin/promtool';
const FOLDER = resolve(ROOT, 'ops/prometheus');
const ALERTS = readFileSync(resolve(FOLDER, 'alerts.yml'), 'utf8');
const TESTS = readFileSync(resolve(FOLDER, 'alerts.test.yml'), 'utf8');
const DASHBOARD = JSON.parse(readFileSync(resolve(ROOT, 'ops/grafana/dashboard.json'), 'utf8')) as Dashboard;
const INSTRUMENTS: Readonly<Record<string, Instrument>> = { ...COUNTERS, ...GAUGES, ...HISTOGRAMS };

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly description: string;
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const names = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
const recorded = [...ALERTS.matchAll(/- record: (\S+)/g)].map(([, name]) => name!);
const rules = [...ALERTS.matchAll(/expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)/g)].map(
  ([, block, line]) => block ?? line!,
);
const queries = DASHBOARD.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** What an expression asks for that the code does not export. */
function strangersIn(expression: string): string[] {
  const selectors = [...expression.matchAll(/\b(notion_auth\w+)(:[\w:]+)?(?:\{([^}]*)\})?/g)];
  return selectors.flatMap(([, base = '', recording, matchers = '']) => {
    if (recording !== undefined) return recorded.includes(base + recording) ? [] : [base + recording];
    const name = base.replace(/_(?:bucket|count|sum)$/, '');
    const instrument = INSTRUMENTS[name];
    if (instrument === undefined) return [base];
    return [...matchers.matchAll(/(\w+)(=~|!=|!~|=)"([^"]*)"/g)].flatMap(([, label = '', , values = '']) =>
      label === 'le' ? [] : values.split('|').filter((value) => !hasSeries(instrument, label, value)),
    );
  });
}

function hasSeries(instrument: Instrument, label: string, value: string): boolean {
  return seriesOf(instrument).some((labels) => labels[label] === value);
}

describe('the alert rules', () => {
  it('ask for nothing that the code does not export', () => {
    expect(rules.length).toBe(names.length + recorded.length);
    expect(rules.flatMap(strangersIn)).toEqual([]);
  });

  it('have each a test that fires and one that keeps quiet', () => {
    const verdicts = [...TESTS.matchAll(/alertname="(\w+)"[^]*?exp_samples:\n {10}- value: (\d)/g)].map(
      ([, name, fires]) => `${name!} ${fires!}`,
    );
    for (const name of names) expect(verdicts).toEqual(expect.arrayContaining([`${name} 1`, `${name} 0`]));
  });

  if (existsSync(PROMTOOL)) {
    it('are in order for promtool, and pass their tests', () => {
      expect(
        execFileSync(PROMTOOL, ['check', 'rules', 'alerts.yml'], { cwd: FOLDER, encoding: 'utf8' }),
      ).toContain(`SUCCESS: ${String(rules.length)} rules found`);
      const tested = spawnSync(PROMTOOL, ['test', 'rules', 'alerts.test.yml'], {
        cwd: FOLDER,
        encoding: 'utf8',
      });
      expect([tested.status, tested.stdout + tested.stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
    }, 60_000);
  } else {
    reportMissing('are in order for promtool', 'Install it: apt-get install prometheus.');
  }
});

describe('the dashboard', () => {
  it('asks for nothing that the code does not export', () => {
    expect(queries.length).toBeGreaterThan(20);
    expect(queries.flatMap(strangersIn)).toEqual([]);
  });

  it('shows every metric', () => {
    const all = queries.join(' ') + rules.join(' ');
    expect(Object.keys(INSTRUMENTS).filter((name) => !all.includes(name))).toEqual([]);
  });

  it('says in every panel what it shows, and names legends by labels that are there', () => {
    for (const { title, description, targets } of DASHBOARD.panels) {
      expect([title, description.length > 10]).toEqual([title, true]);
      for (const { expr, legendFormat } of targets) {
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect(expr + ' instance').toContain(label!);
      }
    }
  });
});
