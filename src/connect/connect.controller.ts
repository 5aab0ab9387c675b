import {
  Controller,
  Get,
  Post,
  Req,
  Res,
  SetMetadata,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
  type Type,
} from '@nestjs/common';
import type { NotionAuthWiring } from '../config/notion-auth.wiring.js';
import { OwnerGate } from '../config/owner.gate.js';
import { isFromScript, isSpeculative, rawQueryOf, type ConnectRequest } from './connect-request.js';
import { ConnectResponder } from './connect.responder.js';
import { NotionCallbackGuard } from './notion-callback.guard.js';
import { NotionConnectFilter } from './notion-connect.filter.js';
import { NotionConnectService, type ConnectDeparture } from './notion-connect.service.js';
import { NotionCallback, VerifiedCallback } from './verified-callback.js';

/** A `POST` may give the parameters in a parsed body, too. */
type StartRequest = ConnectRequest & { readonly body?: unknown };

/**
 * The built-in routes `GET` and `POST <prefix>/connect`, and `GET <prefix>/callback`. Neutral to API versions: Notion has
 * the callback's address registered, and a new version must not move it.
 */
export function connectControllerFor(
  prefix: string,
  metadata: NotionAuthWiring['routeMetadata'] = {},
): Type<unknown> {
  @Controller({ path: prefix, version: VERSION_NEUTRAL })
  @UseFilters(NotionConnectFilter)
  @WithMetadata(metadata)
  class NotionConnectController {
    constructor(
      private readonly connect: NotionConnectService,
      private readonly owners: OwnerGate,
      private readonly responder: ConnectResponder,
    ) {}

    @Get('connect')
    @WithMetadata(metadata)
    async start(@Req() request: StartRequest, @Res() response: unknown): Promise<void> {
      if (isSpeculative(request)) {
        this.responder.nothing(response, request);
        return;
      }
      const { url, setCookie } = await this.departureFor(request);
      if (isFromScript(request)) this.responder.json(response, 200, { url }, setCookie);
      else this.responder.seeOther(response, url, setCookie);
    }

    /** For a script, which then sends the browser to `url` itself; a form is sent there. */
    @Post('connect')
    @WithMetadata(metadata)
    async startByPost(@Req() request: StartRequest, @Res() response: unknown): Promise<void> {
      const { url, setCookie } = await this.departureFor(request);
      if (request.headers['sec-fetch-mode'] === 'navigate') this.responder.seeOther(response, url, setCookie);
      else this.responder.json(response, 200, { url }, setCookie);
    }

    @Get('callback')
    @UseGuards(NotionCallbackGuard)
    @WithMetadata(metadata)
    async finish(@NotionCallback() callback: VerifiedCallback, @Res() response: unknown): Promise<void> {
      const { returnTo } = await this.connect.complete(callback);
      this.responder.seeOther(response, returnTo);
    }

    /** Only `returnTo` and `reconnect` count; owner and client come from the server's side. */
    private async departureFor(request: StartRequest): Promise<ConnectDeparture> {
      const ownerId = await this.owners.ownerOf(request);
      const query = new URLSearchParams(rawQueryOf(request));
      const body = (request.body ?? {}) as Readonly<Record<string, unknown>>;
      const given = (name: string) => (body[name] ?? query.get(name) ?? undefined) as string | undefined;
      return this.connect.authorizeUrl({
        ownerId,
        returnTo: given('returnTo'),
        reconnect: given('reconnect'),
        cookies: request.headers.cookie,
        host: request.host,
      });
    }
  }
  return NotionConnectController;
}

/** On the class and on each handler: guards look at either. */
function WithMetadata(metadata: object): ClassDecorator & MethodDecorator {
  return (...target: [target: object, key?: string | symbol, descriptor?: PropertyDescriptor]) => {
    for (const key of Reflect.ownKeys(metadata)) {
      const value = (metadata as Readonly<Record<string | symbol, unknown>>)[key];
      // The types of `SetMetadata` know no symbol; `Reflect.defineMetadata`, which it calls, does.
      (SetMetadata(key as string, value) as (...on: unknown[]) => void)(...target);
    }
  };
}
