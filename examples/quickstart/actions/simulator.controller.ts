import { Controller, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { NotionAuthorization, NotionTokenInterceptor, type Authorization } from 'nestjs-notion-auth';
import { NotionStandIn } from '../notion-stand-in.js';
import { Action, type ActionAnswer } from './action.js';
import { ActionReport } from './action.report.js';
import { FormGuard } from './form.guard.js';
import { MessageFilter } from '../page/message.filter.js';
import { SimulatorGuard } from './simulator.guard.js';

/** What only a simulated Notion can be asked to do; the library is told nothing of it. */
@Controller('authorizations/:authorizationId')
@UseFilters(MessageFilter)
@UseGuards(FormGuard, SimulatorGuard)
@UseInterceptors(ActionReport, NotionTokenInterceptor)
export class SimulatorController {
  constructor(private readonly standIn: NotionStandIn) {}

  @Action('forget', 'Make Notion forget the access token')
  forget(@NotionAuthorization() { botId }: Authorization): ActionAnswer {
    this.standIn.forgetAccessToken(botId);
    return {
      headline: 'Notion refuses the access token from now on.',
      details: ['Call Notion and see what happens.'],
    };
  }

  @Action('revoke', 'Revoke in Notion')
  revoke(@NotionAuthorization() { botId }: Authorization): ActionAnswer {
    this.standIn.revoke(botId);
    return {
      headline: 'The person removed the connection in Notion.',
      details: ['Nobody told this application. Call Notion, and it learns it.'],
    };
  }
}
