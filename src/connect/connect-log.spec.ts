import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import {
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionOwnerRequiredError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { NoMetrics } from '../domain/notion-metrics.js';
import type { AuthorizationWatch } from '../refresh/authorization.watch.js';
import { RecentFailures } from '../refresh/recent-failures.js';
import { ConnectLog } from './connect-log.js';

class StillClock extends Clock {
  override now = () => new Date(0);
  override monotonicMs = () => 0;
  override sleep = () => Promise.resolve();
}

describe('the log of connecting', () => {
  let lines: unknown[][];
  let counted: unknown[][];
  let noted: unknown[][];
  let changed: string[];
  let log: ConnectLog;

  beforeEach(() => {
    lines = [];
    counted = [];
    noted = [];
    changed = [];
    for (const level of ['debug', 'log', 'warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation(function (this: Logger, line: unknown) {
        lines.push([level, (this as unknown as { context: string }).context, line]);
      });
    }
    const metrics = Object.assign(new NoMetrics(), {
      count: (...one: unknown[]) => void counted.push(one),
    });
    const clock = new StillClock();
    const recent = Object.assign(new RecentFailures(clock), {
      note: (...one: unknown[]) => void noted.push(one),
    });
    const watched: Pick<AuthorizationWatch, 'statusChanged'> = {
      statusChanged: (id) => void changed.push(id),
    };
    log = new ConnectLog(clock, metrics, watched as AuthorizationWatch, recent);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  function failWith(error: Error): Promise<void> {
    const work = () => Promise.reject(error);
    return expect(log.watchCallback(work, 'a-1')).rejects.toBe(error);
  }

  it('says what was begun, completed and ended, and of whom', () => {
    log.started('a-1');
    log.started(null);
    log.disconnected('revoke_pending', 'a-2');
    expect(lines).toEqual([
      ['debug', 'NotionConnect', 'connect started reconnect=a-1'],
      ['debug', 'NotionConnect', 'connect started'],
      ['log', 'NotionConnect', 'disconnect outcome=revoke_pending authorization=a-2'],
    ]);
    expect(changed).toEqual(['a-2']);
  });

  it.each([
    [
      'somebody who declined',
      new NotionConnectDeniedError('access_denied', '/'),
      ['log', 'connect denied stage=exchange reason=access_denied answered=303 authorization=a-1'],
      'denied',
      'notion_connect_denied',
    ],
    [
      'a refused callback',
      new NotionCallbackRefusedError('wrong_browser'),
      ['warn', 'connect refused stage=exchange refusal=wrong_browser answered=400 authorization=a-1'],
      'wrong_browser',
      'notion_callback_refused',
    ],
    [
      'another grant',
      new NotionOtherGrantError('a-7'),
      ['error', 'connect other_grant stage=exchange authorization=a-7 answered=409'],
      'other_grant',
      'notion_connect_other_grant',
    ],
    [
      'a dead code',
      new NotionConnectFailedError('dead', { status: 400, code: 'invalid_grant', requestId: 'r-1' }),
      [
        'warn',
        'connect failed stage=exchange kind=dead status=400 code=invalid_grant request=r-1 answered=400 authorization=a-1',
      ],
      'code_dead',
      'invalid_grant',
    ],
    [
      'a refused client',
      new NotionConnectFailedError('configuration', { status: 401, code: 'invalid_client' }),
      [
        'error',
        'connect failed stage=exchange kind=configuration status=401 code=invalid_client answered=502 authorization=a-1',
      ],
      'client_refused',
      'invalid_client',
    ],
    [
      'an exchange of unknown outcome',
      new NotionConnectFailedError('unknown', {}),
      ['warn', 'connect failed stage=exchange kind=unknown answered=502 authorization=a-1'],
      'notion_failed',
      'notion_connect_failed',
    ],
    [
      'a busy store',
      new NotionStoreUnavailableError({ cause: Object.assign(new Error('secret'), { code: 'SQLITE_BUSY' }) }),
      ['error', 'connect store_unavailable stage=exchange error=SQLITE_BUSY answered=503 authorization=a-1'],
      'store_unavailable',
      'notion_store_unavailable',
    ],
    [
      'a store that fails without a code',
      new NotionStoreUnavailableError({ cause: new TypeError('secret') }),
      ['error', 'connect store_unavailable stage=exchange error=TypeError answered=503 authorization=a-1'],
      'store_unavailable',
      'notion_store_unavailable',
    ],
    [
      'a store whose code is no text',
      new NotionStoreUnavailableError({ cause: Object.assign(new RangeError('secret'), { code: 7 }) }),
      ['error', 'connect store_unavailable stage=exchange error=RangeError answered=503 authorization=a-1'],
      'store_unavailable',
      'notion_store_unavailable',
    ],
    [
      'a store that says nothing',
      new NotionStoreUnavailableError(),
      ['error', 'connect store_unavailable stage=exchange error=unknown answered=503 authorization=a-1'],
      'store_unavailable',
      'notion_store_unavailable',
    ],
    ['a missing owner', new NotionOwnerRequiredError(), null, 'no_owner', 'notion_owner_required'],
    ['an error of somebody else', new Error('of somebody else'), null, 'failed', undefined],
  ])('writes %s down, counts it and passes it on', async (_, error, line, result, code) => {
    await failWith(error);
    const [level, text] = line ?? [];
    expect(lines).toEqual(line === null ? [] : [[level, 'NotionConnect', text]]);
    expect(counted).toEqual([['notion_auth_callbacks_total', { result }]]);
    expect(noted).toEqual([['exchange', code]]);
  });

  it('tells what differs apart, and writes what repeats itself no more often than it must', async () => {
    for (let time = 0; time < 50; time += 1) {
      await failWith(new NotionCallbackRefusedError('wrong_browser'));
      await failWith(new NotionCallbackRefusedError('unknown_state'));
      await failWith(new NotionConnectFailedError('dead', {}));
      await failWith(new NotionConnectFailedError('unknown', {}));
      for (const code of ['SQLITE_BUSY', 'SQLITE_FULL']) {
        await failWith(new NotionStoreUnavailableError({ cause: Object.assign(new Error(), { code }) }));
      }
    }
    const written = (event: string) => lines.filter(([, , line]) => String(line).includes(event)).length;
    const each = written('wrong_browser');
    expect(each).toBeGreaterThan(0);
    expect(each).toBeLessThan(50);
    for (const event of ['unknown_state', 'kind=dead', 'kind=unknown', 'SQLITE_BUSY', 'SQLITE_FULL']) {
      expect(written(event)).toBe(each);
    }
  });
});
