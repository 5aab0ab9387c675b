import { Body, Controller, Get, Param, Post, Req, UseFilters, UseInterceptors } from '@nestjs/common';
import type { Request } from 'express';
import {
  NotionAuthExceptionFilter,
  NotionConnectService,
  NotionTokenInterceptor,
  type AuthorizationId,
  type NotionRequest,
} from 'nestjs-notion-auth';

const API_VERSION = { 'Notion-Version': '2026-03-11' };

/** Who is signed in, as far as a test needs a session. */
export function sessionUser(request: { headers: Record<string, string | undefined> }): string | undefined {
  return request.headers['x-session-user'];
}

/** Every way in which an application takes an authorization's id from a request, under the owner of its session. */
@Controller('authorizations')
@UseFilters(NotionAuthExceptionFilter)
export class TenantController {
  constructor(private readonly connect: NotionConnectService) {}

  @Get()
  async list(@Req() request: Request): Promise<readonly AuthorizationId[]> {
    return (await this.connect.list(ownerOf(request))).map(({ id }) => id);
  }

  /** Calls Notion under a path that names the authorization, so that the ledger can compare it with the bearer. */
  @Get(':authorizationId/call')
  @UseInterceptors(NotionTokenInterceptor)
  async call(@Req() { notion }: NotionRequest): Promise<{ id: string; status: number }> {
    const { id } = notion.authorization;
    const { status } = await notion.fetch(`/v1/pages/${id}`, { headers: API_VERSION });
    return { id, status };
  }

  @Post(':authorizationId/disconnect')
  disconnect(@Param('authorizationId') id: string, @Req() request: Request): Promise<string> {
    return this.connect.disconnect(id, ownerOf(request));
  }

  @Post(':authorizationId/reconnect')
  async reconnect(@Param('authorizationId') id: string, @Req() request: Request): Promise<string> {
    return (await this.connect.authorizeUrl({ ownerId: ownerOf(request), reconnect: id })).url;
  }

  /** Takes whatever JSON the body holds for an id. */
  @Post('disconnect')
  disconnectByBody(@Body() body: { id: AuthorizationId }, @Req() request: Request): Promise<string> {
    return this.connect.disconnect(body.id, ownerOf(request));
  }
}

function ownerOf(request: Request): string {
  return sessionUser(request as never) ?? '';
}
