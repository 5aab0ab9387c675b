import {
  Controller,
  Get,
  Param,
  Post,
  Req,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import type { ActionName } from './action-names.js';
import { AuditLog } from './audit-log.js';
import { ConsoleLinks } from './console-links.js';
import { ConsolePages } from './console.pages.js';
import { fieldOf, isUuid, type ConsoleRequest } from './console.request.js';
import { ConsoleResponder } from './console.responder.js';
import { FormTokens } from './form-tokens.js';
import { OperatorActions } from './operator.actions.js';
import { isSentFromHere } from './same-site.js';
import { SignedNotes, type Note } from './signed-notes.js';

/** The routes of the console, all of them behind the guard. */
export function consoleControllerFor(
  path: string,
  guard: Type<CanActivate> | CanActivate,
  publicOrigin?: string,
): Type<unknown> {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(guard)
  class NotionConsoleController {
    constructor(
      private readonly pages: ConsolePages,
      private readonly actions: OperatorActions,
      private readonly forms: FormTokens,
      private readonly notes: SignedNotes,
      private readonly audit: AuditLog,
      private readonly responder: ConsoleResponder,
    ) {}

    @Get()
    async overview(@Req() request: ConsoleRequest, @Res() response: unknown): Promise<void> {
      const { status, page } = await this.pages.overview(request, ConsoleLinks.from(request, 0));
      this.responder.page(response, status, page);
    }

    @Get('authorizations')
    async list(@Req() request: ConsoleRequest, @Res() response: unknown): Promise<void> {
      const { status, page } = await this.pages.list(request, ConsoleLinks.from(request, 1));
      this.responder.page(response, status, page);
    }

    @Get('authorizations/:id')
    async show(
      @Param('id') id: string,
      @Req() request: ConsoleRequest,
      @Res() response: unknown,
    ): Promise<void> {
      const form = this.forms.open(request.headers.cookie);
      const { status, page } = await this.pages.authorization(id, request, {
        links: ConsoleLinks.from(request, 2),
        formToken: form.token,
      });
      this.responder.page(response, status, page, form.setCookie);
    }

    @Post('authorizations/:id/refresh')
    refresh(
      @Param('id') id: string,
      @Req() request: ConsoleRequest,
      @Res() response: unknown,
    ): Promise<void> {
      return this.act('refresh', id, request, response, () => this.actions.refresh(id));
    }

    @Post('authorizations/:id/reconnect-link')
    reconnectLink(
      @Param('id') id: string,
      @Req() request: ConsoleRequest,
      @Res() response: unknown,
    ): Promise<void> {
      return this.act('reconnect-link', id, request, response, () => this.actions.reconnectLink(id));
    }

    /** Of one owner, or of all where the form names none. The first time it only asks. */
    @Post('authorizations/:id/disconnect')
    disconnect(
      @Param('id') id: string,
      @Req() request: ConsoleRequest,
      @Res() response: unknown,
    ): Promise<void> {
      const owner = fieldOf(request, 'owner');
      if (fieldOf(request, 'confirmed') !== 'yes') {
        return this.ask(id, request, response, { ask: 'disconnect', owner });
      }
      return this.act('disconnect', id, request, response, () => this.actions.disconnect(id, owner ?? null));
    }

    private async ask(
      id: string,
      request: ConsoleRequest,
      response: unknown,
      question: Readonly<Record<string, string | undefined>>,
    ): Promise<void> {
      if (!this.isLetThrough('disconnect', request, response)) return;
      this.responder.seeOther(response, ConsoleLinks.from(request, 3).authorization(id, question));
      return Promise.resolve();
    }

    private async act(
      action: ActionName,
      id: string,
      request: ConsoleRequest,
      response: unknown,
      work: () => Promise<Note>,
    ): Promise<void> {
      if (!this.isLetThrough(action, request, response)) return;
      const links = ConsoleLinks.from(request, 3);
      if (!isUuid(id)) {
        this.responder.page(response, 404, this.pages.notFound(links));
        return;
      }
      const actor = await this.audit.actorOf(request);
      const note = await this.audit.witness(action, id, actor, work);
      this.responder.seeOther(response, links.authorization(id, { did: this.notes.write(id, note) }));
    }

    /** Answers the browser where it is not. */
    private isLetThrough(action: ActionName, request: ConsoleRequest, response: unknown): boolean {
      const isFromHere = isSentFromHere(request.headers, publicOrigin);
      const isOfThisBrowser = this.forms.accepts(request.headers.cookie, fieldOf(request, 'formToken'));
      if (isFromHere && isOfThisBrowser) return true;
      this.audit.refused(action, isFromHere ? 'form_token' : 'foreign_site');
      const links = ConsoleLinks.from(request, 3);
      const page = isFromHere ? this.pages.outOfDate(links) : this.pages.otherOrigin(links, request.headers);
      this.responder.page(response, 403, page);
      return false;
    }
  }
  return NotionConsoleController;
}
