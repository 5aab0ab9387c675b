import type { NotionAuthErrorCode } from './errors.js';

/**
 * What each error is to an application's own caller. Never 401 or 403 for what Notion refused: a browser would take
 * that as the end of its session with the application. 401 is left for a request that names no owner.
 */
export const HTTP_STATUS_BY_CODE: Readonly<Record<NotionAuthErrorCode, number>> = {
  notion_owner_required: 401,
  notion_authorization_not_found: 404,
  notion_reconnect_required: 409,
  notion_connect_other_grant: 409,
  notion_callback_refused: 400,
  notion_connect_denied: 400,
  notion_authorization_ambiguous: 400,
  notion_request_refused: 400,
  notion_webhook_refused: 401,
  notion_refresh_busy: 503,
  notion_store_unavailable: 503,
  notion_refresh_failed: 502,
  notion_connect_failed: 502,
  notion_key_error: 500,
  notion_owner_invalid: 500,
  notion_config_invalid: 500,
  notion_storage_unsupported: 500,
};
