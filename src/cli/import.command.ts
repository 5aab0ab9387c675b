import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AuthorizationDirectory } from '../domain/authorization-directory.js';
import { AuthorizationStore, type NewConnection } from '../domain/authorization-store.js';
import { Secret } from '../domain/secret.js';
import { EXIT_FAILED } from './exit-codes.js';
import type { Printer } from './printer.js';
import { withApplication } from './with-application.js';

const PROGRESS_EVERY = 100;
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

type Line = z.output<typeof line>;

interface Tally {
  imported: number;
  alreadyThere: number;
  refused: number;
}

/**
 * Grants that are there already are left as they are: their stored pair may be newer than the one in the file, and
 * the older refresh token would be dead.
 */
export async function importTokens(
  print: Printer,
  file: string,
  { dryRun = false }: { readonly dryRun?: boolean },
): Promise<void> {
  const tally = await withApplication(async (application) => {
    const store = application.get(AuthorizationStore, { strict: false });
    const directory = application.get(AuthorizationDirectory, { strict: false });
    const config = application.get<NotionAuthConfig>(NOTION_AUTH_CONFIG, { strict: false });
    const counts: Tally = { imported: 0, alreadyThere: 0, refused: 0 };
    let number = 0;
    for await (const text of linesOf(file)) {
      number += 1;
      if (text.trim() === '') continue;
      const read = parsed(text);
      if (typeof read === 'string') {
        counts.refused += 1;
        print.line(`line ${String(number)}: ${read}`);
        continue;
      }
      const [known] = await directory.page({ botId: read.bot_id, limit: 1 });
      if (known !== undefined) counts.alreadyThere += 1;
      else counts.imported += 1;
      if (known === undefined && !dryRun) await store.connect(connectionOf(read, config));
      if (number % PROGRESS_EVERY === 0) print.line(`${String(number)} lines read`);
    }
    return counts;
  });
  const verb = dryRun ? 'would be imported' : 'imported';
  print.line(
    `${String(tally.imported)} ${verb}, ${String(tally.alreadyThere)} already there, ${String(tally.refused)} refused`,
  );
  if (tally.refused > 0) process.exitCode = EXIT_FAILED;
}

function linesOf(file: string): AsyncIterable<string> {
  const input = file === '-' ? process.stdin : createReadStream(file, 'utf8');
  return createInterface({ input, crlfDelay: Infinity });
}

/** The line, or why it cannot be taken, by the names of its fields and never by their values. */
function parsed(text: string): Line | string {
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

function connectionOf(read: Line, { clientId, redirectUris }: NotionAuthConfig): NewConnection {
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
