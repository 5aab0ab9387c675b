import { z } from 'zod';

const code = z
  .string()
  .regex(/^[\w.-]{1,64}$/)
  .optional()
  .catch(undefined);

const requestId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/)
  .optional()
  .catch(undefined);

/** RFC 6749 section 5.2 (`error`), which Notion sends, and the API's own shape (`code`), which its reference shows. */
const oauthError = z.object({ error: code, code, request_id: requestId });

export interface OAuthErrorFacts {
  readonly code?: string;
  readonly requestId?: string;
}

/** Code and request id from either error shape; empty for a body of another kind. Never the message. */
export function parseOAuthError(body: unknown): OAuthErrorFacts {
  const parsed = oauthError.safeParse(body);
  if (!parsed.success) return {};
  return { code: parsed.data.error ?? parsed.data.code, requestId: parsed.data.request_id };
}

/** Whether a body says that it is an error, whatever its status says. */
export function isErrorBody(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const { error, object } = body as { readonly error?: unknown; readonly object?: unknown };
  return Boolean(error) || object === 'error';
}

/** What may be written into a log as it is; nothing for anything else. */
export function parseRequestId(header: string | undefined): string | undefined {
  return requestId.parse(header);
}
