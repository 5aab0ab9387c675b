import { z } from 'zod';

const code = z
  .string()
  .regex(/^[\w.-]{1,64}$/)
  .optional()
  .catch(undefined);

/** RFC 6749 section 5.2 (`error`), which Notion sends, and the API's own shape (`code`), which its reference shows. */
const oauthError = z.object({
  error: code,
  code,
  request_id: z.string().max(128).optional().catch(undefined),
});

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
