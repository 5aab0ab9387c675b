import {
  NotionCallbackRefusedError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionOtherGrantError,
  NotionOwnerRequiredError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import type { CallbackResult } from '../domain/instrument-labels.js';

/** What a callback that was not kept came to, as one of a closed set. */
export function callbackResultOf(error: unknown): CallbackResult {
  if (error instanceof NotionCallbackRefusedError)
    return error.completed === null ? error.refusal : 'repeated';
  if (error instanceof NotionConnectDeniedError) return 'denied';
  if (error instanceof NotionConnectFailedError) return exchangeResult(error.kind);
  if (error instanceof NotionOtherGrantError) return 'other_grant';
  if (error instanceof NotionOwnerRequiredError) return 'no_owner';
  if (!(error instanceof NotionStoreUnavailableError)) return 'failed';
  return error.connecting === null ? 'store_unavailable' : 'continues';
}

function exchangeResult(kind: NotionConnectFailedError['kind']): CallbackResult {
  if (kind === 'dead') return 'code_dead';
  return kind === 'configuration' ? 'client_refused' : 'notion_failed';
}
