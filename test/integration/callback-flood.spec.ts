import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication, LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { NotionAuthModule } from 'nestjs-notion-auth';
import { prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Registry } from 'prom-client';
import { NotionDatabase } from '../../src/storage/notion-database.js';
import { REDIRECT_URI } from '../support/notion-app.js';
import { statementsDuring, type Statement } from '../support/statement.recorder.js';
import { temporaryFolder } from '../support/storage.harness.js';

const CALLBACKS = 10_000;
const AT_ONCE = 50;
/** Lines of one kind within a minute, and a minute may end meanwhile. */
const MOST_LINES = 40;

describe(`${CALLBACKS.toLocaleString('en')} callbacks with states that nobody was given`, () => {
  const registry = new Registry();
  const lines: string[] = [];
  let simulator: NotionSimulator;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let app: INestApplication;
  let statements: readonly Statement[];
  const statuses = new Map<number, number>();

  beforeAll(async () => {
    simulator = await NotionSimulator.start();
    folder = await temporaryFolder();
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          clientId: simulator.clientId,
          clientSecret: simulator.clientSecret,
          redirectUris: [REDIRECT_URI],
          apiBaseUrl: simulator.url,
          encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
          databaseFile: join(folder.path, 'notion.sqlite'),
          providers: [prometheusMetrics(registry)],
          revocation: { lookEveryMs: 3_600_000 },
          events: { lookEveryMs: 3_600_000 },
          resolveOwner: () => 'owner-1',
        }),
      ],
    }).compile();
    app = testing.createNestApplication();
    app.useLogger(recorderInto(lines));
    await app.listen(0, '127.0.0.1');
    const url = `${await app.getUrl()}/notion/callback`;
    statements = await statementsDuring(app.get(NotionDatabase).dataSource, async () => {
      for (let begun = 0; begun < CALLBACKS; begun += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, () => guess(url)));
      }
    });
  }, 120_000);

  afterAll(async () => {
    await app.close();
    await simulator.close();
    await folder.remove();
  });

  async function guess(url: string): Promise<void> {
    const secret = () => randomBytes(32).toString('base64url');
    const answer = await fetch(`${url}?code=c0de&state=${secret()}`, {
      redirect: 'manual',
      headers: { cookie: `__Host-notion-auth=${secret()}` },
    });
    await answer.arrayBuffer();
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  }

  it('J8: cost one indexed lookup each, no write, and no request to Notion', () => {
    expect([...statuses]).toEqual([[400, CALLBACKS]]);
    const lookups = statements.filter(({ sql }) => sql.includes('notion_oauth_state'));
    expect(lookups).toHaveLength(CALLBACKS);
    expect(lookups.filter(({ sql }) => !sql.startsWith('SELECT '))).toEqual([]);
    expect(statements.filter(({ sql }) => /^(INSERT|UPDATE|DELETE|BEGIN)/i.test(sql))).toEqual([]);
    expect(simulator.ledger.requests()).toEqual([]);
  });

  it('J11: write few lines, and are counted to the last one', async () => {
    const written = lines.filter((line) => line.includes('connect refused'));
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThanOrEqual(MOST_LINES);
    const counted = await registry.getSingleMetric('notion_auth_callbacks_total')!.get();
    expect(counted.values.filter(({ value }) => value > 0)).toEqual([
      expect.objectContaining({ labels: { result: 'unknown_state' }, value: CALLBACKS }),
    ]);
  });
});

function recorderInto(lines: string[]): LoggerService {
  const record = (...parts: unknown[]): void => void lines.push(parts.map(String).join(' '));
  return { log: record, warn: record, error: record, debug: record, verbose: record, fatal: record };
}
