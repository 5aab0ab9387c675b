import type { INestApplicationContext } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, NotionConnectService, Secret, VerifiedCallback } from 'nestjs-notion-auth';
import type { NotionAuthConfig } from 'nestjs-notion-auth';

export interface Return {
  readonly authorizationId: string;
  readonly ownerId: string;
  readonly code: string;
}

/** A person reconnects: what the built-in callback route does behind its guard. */
export async function reconnect(
  application: INestApplicationContext,
  { authorizationId, ownerId, code }: Return,
): Promise<string> {
  const { clientId, redirectUris } = application.get<NotionAuthConfig>(NOTION_AUTH_CONFIG, { strict: false });
  const pending = {
    ownerId,
    clientId,
    redirectUri: redirectUris[0],
    returnTo: '/',
    reconnect: authorizationId,
  };
  const callback = new VerifiedCallback(new Secret(code), pending);
  return (await application.get(NotionConnectService).complete(callback)).kind;
}
