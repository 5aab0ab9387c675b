import { Controller, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { Client } from '@notionhq/client';
import { NotionSdk, NotionTokenInterceptor } from 'nestjs-notion-auth';
import { Action, type ActionAnswer } from './action.js';
import { ActionReport } from './action.report.js';
import { FormGuard } from './form.guard.js';
import { MessageFilter } from '../page/message.filter.js';
import { describeBot, titleOf } from './notion.words.js';

const BURST = 100;

/**
 * This is all that an application writes to call Notion: the interceptor finds the authorization of the route and
 * checks its owner, and the official client renews the token when Notion refuses it.
 */
@Controller('authorizations/:authorizationId')
@UseFilters(MessageFilter)
@UseGuards(FormGuard)
@UseInterceptors(ActionReport, NotionTokenInterceptor)
export class NotionCallsController {
  @Action('who-am-i', 'Who am I')
  async whoAmI(@NotionSdk() notion: Client): Promise<ActionAnswer> {
    return describeBot(await notion.users.me({}));
  }

  @Action('search', 'Search')
  async search(@NotionSdk() notion: Client): Promise<ActionAnswer> {
    const { results } = await notion.search({ page_size: 10 });
    return { headline: `${results.length} shared pages and databases found.`, details: results.map(titleOf) };
  }

  @Action('burst', '100 calls at once')
  async burst(@NotionSdk() notion: Client): Promise<ActionAnswer> {
    const calls = Array.from({ length: BURST }, () => notion.users.me({}));
    const outcomes = await Promise.allSettled(calls);
    const answered = outcomes.filter(({ status }) => status === 'fulfilled').length;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (answered === 0 && failed !== undefined) throw failed.reason;
    return { headline: `${answered} of ${BURST} calls were answered.` };
  }
}
