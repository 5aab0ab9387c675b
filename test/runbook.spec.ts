import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { diagnose, NOTION_AUTH_ERROR_CODES, type DiagnosisStage } from 'nestjs-notion-auth';
import { RULES } from '../src/diagnosis/diagnosis.rules.js';
import { ROOT } from './support/readme.js';

const RUNBOOK = readFileSync(resolve(ROOT, 'docs/runbook.md'), 'utf8');
const ALERTS = readFileSync(resolve(ROOT, 'ops/prometheus/alerts.yml'), 'utf8');
const PARTS = ['Means', 'Does not mean', 'Do', 'Verify'];

const sections = new Map(
  RUNBOOK.split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);
const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);

describe('the runbook', () => {
  it('has a section for every stable error code', () => {
    expect(NOTION_AUTH_ERROR_CODES.filter((code) => !sections.has(code))).toEqual([]);
  });

  it('has a section for every alert, where its address leads', () => {
    expect(alerts.length).toBeGreaterThan(10);
    expect(alerts.filter((name) => !sections.has(name))).toEqual([]);
    const addresses = [...ALERTS.matchAll(/runbook_url: (\S+)/g)].map(([, address]) => address!);
    expect(addresses).toEqual(alerts.map((name) => `docs/runbook.md#${name.toLowerCase()}`));
  });

  it('has a section for everything that diagnose() can name', () => {
    expect(Object.keys(RULES).filter((name) => !sections.has(name))).toEqual([]);
  });

  it('has no section for what nobody can name', () => {
    const names = new Set<string>([...Object.keys(RULES), ...alerts]);
    expect([...sections.keys()].filter((name) => !names.has(name))).toEqual([]);
  });

  it('says in each section what it means, what not, what to do, and how to verify', () => {
    for (const [name, section] of sections) {
      expect([name, [...section.matchAll(/^- \*\*(.+?):\*\* \S/gm)].map(([, part]) => part)]).toEqual([
        name,
        PARTS,
      ]);
    }
  });

  it('has links that lead to sections', () => {
    const anchors = [...RUNBOOK.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    const links = [...RUNBOOK.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!);
    expect(links.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });

  it('has a triage table that says what diagnose() says', () => {
    const rows = [
      ...RUNBOOK.matchAll(/^\| `([^`]+)` +\| `(\w+)` +\| `(\w+)` +\|.+?\| \[\w+\]\(#(\w+)\) +\|$/gm),
    ];
    expect(rows.length).toBeGreaterThan(20);
    for (const [, text, stage, family, section] of rows) {
      const [, status, body = text!] = /^(\d{3}) (.+)$/.exec(text!) ?? [];
      const error = status === undefined ? text : { status: Number(status), body };
      expect([text, diagnose(error, { stage: stage as DiagnosisStage })]).toEqual([
        text,
        expect.objectContaining({ family, runbook: `docs/runbook.md#${section}` }),
      ]);
    }
  });

  it('is packed with the package', () => {
    const { files } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { files: string[] };
    for (const path of ['docs/runbook.md', 'ops']) {
      expect([path, files.includes(path) && existsSync(resolve(ROOT, path))]).toEqual([path, true]);
    }
  });
});
