import { z } from 'zod';
import type { NotionGrant, TokenPair } from '../domain/authorization.js';
import { SECOND_MS } from '../domain/duration.js';
import { Secret } from '../domain/secret.js';

/** Visible ASCII (RFC 6750 section 2.1 sends it in a header), and not larger than any token could sensibly be. */
const token = z
  .string()
  .max(8_192)
  .regex(/^[\x21-\x7e]+$/);

/** Notion's are UUIDs; whatever they become, they are compared, indexed and logged. */
const id = z.string().regex(/^[\x21-\x7e]{1,128}$/);
const optionalText = z.string().max(4_096).nullish().catch(null);

/** The part without which an answer cannot be a success. Unknown fields are ignored, as Notion asks. */
const tokens = z.object({
  access_token: token,
  token_type: z.string().regex(/^bearer$/i),
  refresh_token: token.nullish(),
  expires_in: z.number().positive().nullish().catch(null),
  request_id: id.nullish().catch(null),
});

const owner = z.union([
  z.object({ type: z.literal('user'), user: z.object({ id }) }),
  z.object({ type: z.literal('workspace') }),
]);

const grant = z.object({
  bot_id: id,
  workspace_id: id,
  workspace_name: optionalText,
  workspace_icon: optionalText,
  owner: owner.catch({ type: 'workspace' }),
  duplicated_template_id: id.nullish().catch(null),
});

export interface ParsedTokens {
  readonly pair: TokenPair;
  readonly requestId?: string;
}

/** `null` when the body is no token answer that can be believed. */
export function parseTokens(body: unknown): ParsedTokens | null {
  const parsed = tokens.safeParse(body);
  if (!parsed.success) return null;
  const { access_token, refresh_token, expires_in, request_id } = parsed.data;
  return {
    pair: {
      accessToken: new Secret(access_token),
      refreshToken: refresh_token ? new Secret(refresh_token) : null,
      expiresInMs: expires_in ? expires_in * SECOND_MS : null,
    },
    ...(request_id ? { requestId: request_id } : {}),
  };
}

/** Whose grant of what, from the same body. */
export function parseGrant(body: unknown): NotionGrant | null {
  const parsed = grant.safeParse(body);
  if (!parsed.success) return null;
  const { data } = parsed;
  return {
    botId: data.bot_id,
    workspaceId: data.workspace_id,
    workspaceName: data.workspace_name ?? null,
    workspaceIcon: data.workspace_icon ?? null,
    ownerKind: data.owner.type,
    ownerUserId: data.owner.type === 'user' ? data.owner.user.id : null,
    duplicatedTemplateId: data.duplicated_template_id ?? null,
  };
}
