import { describe, expect, it } from '@jest/globals';
import {
  NotionAuthorizationNotFoundError,
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionOwnerRequiredError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { callbackResultOf } from './callback-result.js';

describe('what a callback came to', () => {
  it.each([
    ['used_state', new NotionCallbackRefusedError('used_state')],
    ['wrong_owner', new NotionCallbackRefusedError('wrong_owner')],
    ['denied', new NotionConnectDeniedError('access_denied', '/')],
    ['code_dead', new NotionConnectFailedError('dead', {})],
    ['client_refused', new NotionConnectFailedError('configuration', {})],
    ['notion_failed', new NotionConnectFailedError('unknown', {})],
    ['notion_failed', new NotionConnectFailedError('not_sent', {})],
    ['other_grant', new NotionOtherGrantError('id')],
    ['continues', new NotionStoreUnavailableError({ connecting: { returnTo: '/' } })],
    ['no_owner', new NotionOwnerRequiredError()],
    ['store_unavailable', new NotionStoreUnavailableError()],
    ['failed', new NotionAuthorizationNotFoundError()],
    ['failed', new Error('anything')],
    ['failed', undefined],
  ])('is %s', (result, error) => {
    expect(callbackResultOf(error)).toBe(result);
  });
});
