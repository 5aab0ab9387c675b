import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Authorization } from 'nestjs-notion-auth';
import { prometheusMetrics } from 'nestjs-notion-auth/prometheus';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { Registry } from 'prom-client';
import { MetricsApp } from '../support/metrics.app.js';
import { databaseFor, REDIRECT_URI } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

const PAGE = '/v1/pages/00000000-0000-4000-8000-000000000000';
const UUID = '[0-9a-f-]{36}';

describe('a failure in the log', () => {
  const lines: string[] = [];
  const registry = new Registry();
  let simulator: NotionSimulator;
  let storage: Awaited<ReturnType<typeof databaseFor>>;
  let app: MetricsApp;

  beforeEach(async () => {
    for (const level of ['log', 'warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => {
        lines.push(String(line));
      });
    }
    simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
    storage = await databaseFor(sqlite);
    app = await MetricsApp.start(simulator, {
      ...storage.options,
      providers: [prometheusMetrics(registry)],
    });
    lines.length = 0;
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await app.close();
    await simulator.close();
    await storage.drop();
  });

  function whoseFacts({ id, botId, workspaceId }: Authorization): string {
    return `authorization=${id} bot=${botId} workspace=${workspaceId}`;
  }

  it('of a call says what Notion answered, its request id, and whose call it was', async () => {
    const authorization = await app.connect();
    await app.call(authorization.id, PAGE);
    expect(lines).toEqual([
      expect.stringMatching(
        `^call refused stage=api status=404 code=object_not_found request=${UUID} ${whoseFacts(authorization)}$`,
      ),
    ]);
  });

  it('of a call that was never answered says so, and is counted', async () => {
    const authorization = await app.connect();
    await app.call(authorization.id);
    simulator.fail('api', { kind: 'drop_before' }, { times: 1 });
    await expect(app.call(authorization.id)).rejects.toThrow(TypeError);
    expect(lines).toEqual([
      expect.stringMatching(`^call failed stage=api code=\\w+ ${whoseFacts(authorization)}$`),
    ]);
    expect(await registry.getSingleMetricAsString('notion_auth_api_errors_total')).toContain(
      'notion_auth_api_errors_total{code="no_answer"} 1',
    );
  });

  it('of a refresh says the attempt and its trigger too', async () => {
    const authorization = await app.connect();
    simulator.revokeGrant(authorization.botId);
    await app.refreshes.refresh(authorization.id, { trigger: 'manual' });
    expect(lines).toEqual([
      expect.stringMatching(
        `^refresh dead stage=refresh status=400 code=invalid_grant request=${UUID} ${whoseFacts(authorization)} attempt=${UUID} trigger=manual$`,
      ),
    ]);
  });

  it('of a connect keeps the status of Notion and our own apart', async () => {
    simulator.fail('exchange', { kind: 'status', status: 503 }, { times: 1 });
    expect(await app.connectInBrowser()).toBe(502);
    expect(lines).toEqual([
      expect.stringMatching(/^connect opened on another host .* redirect_host=app\.example$/),
      expect.stringMatching(
        `^connect failed stage=exchange kind=unknown status=503 .*request=${UUID} answered=502$`,
      ),
    ]);
  });

  it('is written twenty times in a minute, then counted, and the count is told', async () => {
    const { id } = await app.connect();
    for (let call = 0; call < 50; call++) await app.call(id, PAGE);
    const refused = () => lines.filter((line) => line.startsWith('call refused'));
    expect(refused()).toHaveLength(20);
    app.clock.moveOn(60_000);
    await app.call(id, PAGE);
    expect(refused()).toHaveLength(21);
    expect(refused().at(-1)).toMatch(/ suppressed=30$/);
  });
});
