import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import {
  connectSchema,
  eventsSchema,
  healthSchema,
  outboundSchema,
  refreshSchema,
  revocationSchema,
  webhooksSchema,
} from '../src/config/limits.schema.js';
import { COUNTERS, GAUGES, HISTOGRAMS, type Instrument } from '../src/domain/instruments.js';
import { compileExamples, readmeExamples, readmeTable, ROOT } from './support/readme.js';

/** Where an option is declared, and how the table names it. */
const DECLARED_IN = [
  ['src/config/notion-auth.options.ts', 'NotionAuthOptions', ''],
  ['src/config/notion-auth.options.ts', 'RefreshOptions', 'refresh.'],
  ['src/config/notion-auth.options.ts', 'ConnectOptions', 'connect.'],
  ['src/config/notion-auth.options.ts', 'OutboundOptions', 'outbound.'],
  ['src/config/notion-auth.options.ts', 'RevocationOptions', 'revocation.'],
  ['src/config/notion-auth.options.ts', 'WebhookOptions', 'webhooks.'],
  ['src/config/notion-auth.options.ts', 'EventOptions', 'events.'],
  ['src/config/notion-auth.options.ts', 'HealthOptions', 'health.'],
  ['src/config/notion-auth.wiring.ts', 'NotionAuthWiring', ''],
] as const;
/** Sections of options, and what `notionAuthConfig` hands on; nobody writes them as one value. */
const NOT_IN_THE_TABLE = [
  'refresh',
  'connect',
  'outbound',
  'revocation',
  'webhooks',
  'events',
  'health',
  'problems',
];

describe('the README', () => {
  it('has examples that compile', () => {
    const examples = readmeExamples();
    expect(examples.size).toBeGreaterThan(8);
    expect(compileExamples(examples)).toEqual([]);
  });

  it('lists every option, in the order of their declarations', () => {
    const declared = DECLARED_IN.flatMap(([file, name, prefix]) =>
      membersOf(file, name).map((member) => prefix + member),
    );
    const listed = readmeTable('option').map(([name]) => name);
    expect([...listed].sort()).toEqual(declared.filter((name) => !NOT_IN_THE_TABLE.includes(name)).sort());
  });

  it('lists every metric with its labels', () => {
    const instruments = Object.entries<Instrument>({ ...COUNTERS, ...HISTOGRAMS, ...GAUGES });
    const listed = readmeTable('metric').map(([name, , labels]) => [name, labels]);
    expect(listed.sort()).toEqual(
      instruments.map(([name, { labels }]) => [name, Object.keys(labels).join(', ')]).sort(),
    );
  });

  it('tells the defaults that the code has', () => {
    const defaults = {
      refresh: refreshSchema,
      connect: connectSchema,
      outbound: outboundSchema,
      revocation: revocationSchema,
      webhooks: webhooksSchema,
      events: eventsSchema,
      health: healthSchema,
    };
    for (const [section, schema] of Object.entries(defaults)) {
      for (const [option, value] of Object.entries(schema.parse({}))) {
        const row = readmeTable('option').find(([name]) => name === `${section}.${option}`);
        const shown = String(value) === '' ? 'none' : String(value);
        expect([option, row?.[1]?.replaceAll('_', '')]).toEqual([option, shown]);
      }
    }
  });
});

/** The names that an interface declares. */
function membersOf(file: string, interfaceName: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(resolve(ROOT, file), 'utf8'), ts.ScriptTarget.ES2022);
  const found = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName,
  );
  return (found?.members ?? []).map((member) => member.name!.getText(source));
}
