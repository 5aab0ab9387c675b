import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { NotionReconnectRequiredError, NotionWebhookRefusedError } from '../domain/errors.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import type { NotionWebhookEvent } from './webhook-event.js';
import { WebhookLog } from './webhook.log.js';

class StillClock extends Clock {
  override now = () => new Date(0);
  override monotonicMs = () => 0;
  override sleep = () => Promise.resolve();
}

const EVENT: NotionWebhookEvent = {
  id: 'e-1',
  type: 'page.created',
  workspaceId: 'w-1',
  happenedAt: null,
  attempt: 2,
  entity: null,
  botIds: [],
  data: undefined,
};
const OF_EVENT = 'workspace=w-1 event=e-1 type=page.created';

describe('the log of webhooks', () => {
  let lines: unknown[][];
  let noted: unknown[][];
  let log: WebhookLog;

  beforeEach(() => {
    lines = [];
    noted = [];
    for (const level of ['debug', 'log', 'warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation(function (this: Logger, line: unknown) {
        lines.push([level, (this as unknown as { context: string }).context, line]);
      });
    }
    const clock = new StillClock();
    const note = (...one: unknown[]): void => void noted.push(one);
    log = new WebhookLog(clock, Object.assign(new RecentFailures(clock), { note }));
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('says when a window was opened, who came through it, and what came again', () => {
    log.opened(new Date(Date.UTC(2026, 10, 26)));
    log.paired();
    log.repeated(EVENT);
    expect(lines).toEqual([
      ['warn', 'NotionWebhook', 'webhook pairing_open until=2026-11-26T00:00:00.000Z'],
      [
        'warn',
        'NotionWebhook',
        'webhook paired: a verification token came in the open window and is kept sealed',
      ],
      ['debug', 'NotionWebhook', 'webhook repeated event=e-1 delivery=2'],
    ]);
    expect(noted).toEqual([]);
  });

  it('says each kind of our own refusal for itself, with what was answered', () => {
    for (let time = 0; time < 50; time += 1) log.refused('bad_signature', 401);
    const written = lines.length;
    expect(written).toBeLessThan(50);
    expect(lines[0]).toEqual([
      'warn',
      'NotionWebhook',
      'webhook refused stage=webhook refusal=bad_signature answered=401',
    ]);
    for (let time = 0; time < 50; time += 1) log.refused('queue_full', 503);
    expect(lines).toHaveLength(2 * written);
    expect(lines[written]).toEqual([
      'warn',
      'NotionWebhook',
      'webhook refused stage=webhook refusal=queue_full answered=503',
    ]);
    expect(noted).toHaveLength(100);
    expect(noted[0]).toEqual(['webhook', 'notion_webhook_refused']);
  });

  it.each<[string, unknown, string, string | undefined]>([
    [
      'Notion refused the call of a handler',
      {
        status: 403,
        code: 'restricted_resource',
        request_id: 'r-1',
        headers: new Headers({ 'cf-ray': 'ray-1' }),
      },
      `webhook follow_up_refused stage=webhook status=403 code=restricted_resource request=r-1 ray=ray-1 ${OF_EVENT}`,
      'restricted_resource',
    ],
    [
      'the edge before Notion did, with a page',
      { status: 403, code: 'notionhq_client_response_error', headers: { 'cf-ray': 'ray-2' } },
      `webhook follow_up_blocked stage=webhook status=403 ray=ray-2 ${OF_EVENT}`,
      undefined,
    ],
    [
      'an answer has no code at all',
      { status: 502 },
      `webhook follow_up_blocked stage=webhook status=502 ${OF_EVENT}`,
      undefined,
    ],
    [
      'an answer has headers without an id',
      { status: 502, headers: new Headers() },
      `webhook follow_up_blocked stage=webhook status=502 ${OF_EVENT}`,
      undefined,
    ],
    [
      'no live token could be had',
      new NotionReconnectRequiredError('a-1', 'revoked_or_expired'),
      `webhook follow_up_unauthorized stage=webhook code=notion_reconnect_required ${OF_EVENT}`,
      'notion_reconnect_required',
    ],
    [
      'a handler failed of itself',
      new RangeError('a body with a secret'),
      `webhook handler_failed stage=webhook error=RangeError ${OF_EVENT}`,
      undefined,
    ],
    [
      'a text was thrown',
      'secret',
      `webhook handler_failed stage=webhook error=string ${OF_EVENT}`,
      undefined,
    ],
    ['nothing was thrown', null, `webhook handler_failed stage=webhook error=object ${OF_EVENT}`, undefined],
    [
      'what came from outside would break the line',
      {
        status: 400,
        code: 'a b',
        request_id: `x\n${'y'.repeat(10)}`,
        headers: { 'cf-ray': 'z'.repeat(101) },
      },
      `webhook follow_up_refused stage=webhook status=400 ${OF_EVENT}`,
      undefined,
    ],
    [
      'what came from outside is no text',
      { status: 400, code: 'validation_error', request_id: { $ne: 1 }, headers: 'cf-ray' },
      `webhook follow_up_refused stage=webhook status=400 code=validation_error ${OF_EVENT}`,
      'validation_error',
    ],
  ])('tells apart that %s', (_, error, line, code) => {
    log.failed(EVENT, error);
    expect(lines).toEqual([['error', 'NotionWebhook', line]]);
    expect(noted).toEqual([['webhook', code]]);
  });

  it('counts what is alike, and writes down what differs in kind, type, status or code', () => {
    const failures = [
      { status: 403, code: 'restricted_resource' },
      { status: 404, code: 'restricted_resource' },
      { status: 403, code: 'object_not_found' },
      new NotionWebhookRefusedError('queue_full'),
    ];
    const often = (event: NotionWebhookEvent, failure: unknown) => {
      for (let time = 0; time < 50; time += 1) log.failed(event, failure);
    };
    for (const failure of failures) often(EVENT, failure);
    often({ ...EVENT, type: 'page.deleted' }, failures[0]);
    const each = lines.length / 5;
    expect(each).toBeLessThan(50);
    const written = (part: string) => lines.filter(([, , line]) => String(line).includes(part)).length;
    expect(written('page.deleted')).toBe(each);
    expect(written('status=404')).toBe(each);
    expect(written('object_not_found')).toBe(each);
    expect(written('follow_up_unauthorized')).toBe(each);
  });
});
