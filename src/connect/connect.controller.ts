import { Controller, Get, Req, Res, UseFilters, UseGuards, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import { OwnerGate } from '../config/owner.gate.js';
import { rawQueryOf, type ConnectRequest } from './connect-request.js';
import { ConnectResponder } from './connect.responder.js';
import { NotionCallbackGuard } from './notion-callback.guard.js';
import { NotionConnectFilter } from './notion-connect.filter.js';
import { NotionConnectService } from './notion-connect.service.js';
import { NotionCallback, VerifiedCallback } from './verified-callback.js';

/**
 * The built-in routes `GET <prefix>/connect` and `GET <prefix>/callback`. Neutral to API versions: Notion has the
 * callback's address registered, and a new version must not move it.
 */
export function connectControllerFor(prefix: string): Type<unknown> {
  @Controller({ path: prefix, version: VERSION_NEUTRAL })
  @UseFilters(NotionConnectFilter)
  class NotionConnectController {
    constructor(
      private readonly connect: NotionConnectService,
      private readonly owners: OwnerGate,
      private readonly responder: ConnectResponder,
    ) {}

    /** Of the query only `returnTo` and `reconnect` count; owner and client come from the server's side. */
    @Get('connect')
    async start(@Req() request: ConnectRequest, @Res() response: unknown): Promise<void> {
      const ownerId = await this.owners.ownerOf(request);
      const query = new URLSearchParams(rawQueryOf(request));
      const { url, setCookie } = await this.connect.authorizeUrl({
        ownerId,
        returnTo: query.get('returnTo') ?? undefined,
        reconnect: query.get('reconnect'),
        cookies: request.headers.cookie,
        host: request.host,
      });
      this.responder.seeOther(response, url, setCookie);
    }

    @Get('callback')
    @UseGuards(NotionCallbackGuard)
    async finish(@NotionCallback() callback: VerifiedCallback, @Res() response: unknown): Promise<void> {
      const { returnTo } = await this.connect.complete(callback);
      this.responder.seeOther(response, returnTo);
    }
  }
  return NotionConnectController;
}
