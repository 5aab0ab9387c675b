import { z } from 'zod';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import type { NewConnection } from '../domain/authorization-store.js';
import { Secret } from '../domain/secret.js';

const id = z.string().min(1).max(128);
const token = z
  .string()
  .min(1)
  .max(8_192)
  .regex(/^[\x21-\x7e]+$/);

/** One line: the answer of Notion's token endpoint, flat, and whose it is. */
const line = z.object({
  owner_id: z.string().min(1).max(255),
  access_token: token,
  refresh_token: token.nullish(),
  bot_id: id,
  workspace_id: id,
  workspace_name: z.string().nullish(),
  workspace_icon: z.string().nullish(),
  owner_user_id: id.nullish(),
  duplicated_template_id: id.nullish(),
});

export type ImportLine = z.output<typeof line>;

/** The line, or why it cannot be taken, by the names of its fields and never by their values. */
export function parsedLine(text: string): ImportLine | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'is not JSON';
  }
  const result = line.safeParse(value);
  if (result.success) return result.data;
  const names = new Set(result.error.issues.map(({ path }) => path.join('.')));
  return `missing or not usable: ${[...names].join(', ')}`;
}

export function connectionOf(read: ImportLine, { clientId, redirectUris }: NotionAuthConfig): NewConnection {
  return {
    ownerId: read.owner_id,
    clientId,
    redirectUri: redirectUris[0],
    reconnect: null,
    grant: {
      botId: read.bot_id,
      workspaceId: read.workspace_id,
      workspaceName: read.workspace_name ?? null,
      workspaceIcon: read.workspace_icon ?? null,
      ownerKind: read.owner_user_id == null ? 'workspace' : 'user',
      ownerUserId: read.owner_user_id ?? null,
      duplicatedTemplateId: read.duplicated_template_id ?? null,
    },
    pair: {
      accessToken: new Secret(read.access_token),
      refreshToken: read.refresh_token == null ? null : new Secret(read.refresh_token),
      expiresInMs: null,
    },
  };
}
