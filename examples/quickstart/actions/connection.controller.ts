import { Controller, Param, Req, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import type { Request } from 'express';
import { NotionConnectService, type DisconnectOutcome } from 'nestjs-notion-auth';
import { Session } from '../session.js';
import { Action, type ActionAnswer } from './action.js';
import { ActionReport } from './action.report.js';
import { FormGuard } from './form.guard.js';
import { MessageFilter } from '../page/message.filter.js';

const WORDS: Readonly<Record<DisconnectOutcome, string>> = {
  revoked: 'Disconnected. The tokens are erased here, and Notion confirmed that they are dead.',
  revoke_pending:
    'Disconnected here. Notion has not confirmed yet; it is asked again until it does, or for six hours.',
  local_only:
    'Disconnected here, with nothing to tell Notion with; the person can remove the connection there.',
  unlinked: 'Disconnected for this browser. Others use the same connection, so it lives on.',
};

@Controller('authorizations/:authorizationId')
@UseFilters(MessageFilter)
@UseGuards(FormGuard)
@UseInterceptors(ActionReport)
export class ConnectionController {
  constructor(private readonly connect: NotionConnectService) {}

  @Action('disconnect', 'Disconnect')
  async disconnect(@Param('authorizationId') id: string, @Req() request: Request): Promise<ActionAnswer> {
    // The form guard let the request through, so there is a session.
    return { headline: WORDS[await this.connect.disconnect(id, Session.of(request)!.ownerId)] };
  }
}
