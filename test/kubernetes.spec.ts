import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { optionsFromEnvironment } from '../src/config/notion-auth.env.js';
import { refreshSchema } from '../src/config/limits.schema.js';
import { ROOT } from './support/readme.js';

const MANIFEST = readFileSync(resolve(ROOT, 'examples/k8s/application.yaml'), 'utf8');
const README = readFileSync(resolve(ROOT, 'README.md'), 'utf8');

function probe(name: string): string {
  const [, found = ''] = new RegExp(`${name}:\\n((?: {12}.*\\n)+)`).exec(MANIFEST) ?? [];
  return found;
}

function numberOf(text: string, name: string): number {
  return Number(new RegExp(`${name}: (\\d+)`).exec(text)?.[1]);
}

describe('the Kubernetes example', () => {
  it('asks liveness of the process alone, and gives it a minute', () => {
    const live = probe('livenessProbe');
    expect(live).toContain('/health/live');
    expect(numberOf(live, 'periodSeconds') * numberOf(live, 'failureThreshold')).toBeGreaterThanOrEqual(60);
  });

  it('asks readiness of routes that the README mounts', () => {
    for (const name of ['readinessProbe', 'startupProbe']) expect(probe(name)).toContain('/health/ready');
    expect(README).toContain(`@Get('ready')`);
  });

  it('explains each probe', () => {
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(MANIFEST).toMatch(new RegExp(`# .+\\n +${name}:`));
    }
  });

  it('leaves the end of a process the time that the drain may take', () => {
    const graceMs = numberOf(MANIFEST, 'terminationGracePeriodSeconds') * 1_000;
    expect(graceMs).toBeGreaterThan(refreshSchema.parse({}).drainMs);
  });

  it('sets variables that the configuration reads, and takes every secret from a file', () => {
    const names = [...MANIFEST.matchAll(/name: (NOTION_\w+)/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) expect(README).toContain(name.replace(/_FILE$/, ''));
    expect(names.filter((name) => /SECRET|KEYS|DATABASE_URL/.test(name) && !name.endsWith('_FILE'))).toEqual(
      [],
    );
    const read = optionsFromEnvironment({ NOTION_CLIENT_SECRET_FILE: '/nowhere/client-secret' });
    expect(read.problems).toMatchObject([{ option: 'clientSecret' }]);
  });

  it('disrupts one replica at a time', () => {
    expect(MANIFEST).toMatch(/kind: PodDisruptionBudget[^]*maxUnavailable: 1/);
  });
});
