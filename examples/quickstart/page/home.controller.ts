import { Controller, Get, Inject, Query, Req, Res, UseFilters } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import type { Request, Response } from 'express';
import { notionAuthConfig, NotionConnectService, type Authorization } from 'nestjs-notion-auth';
import { LastResults } from '../actions/last-results.js';
import { NotionStandIn } from '../notion-stand-in.js';
import { Session } from '../session.js';
import { QuickstartAddress } from '../start/quickstart.address.js';
import { homePage } from './home.page.js';
import { MessageFilter } from './message.filter.js';
import { sendPage } from './send-page.js';

@Controller()
@UseFilters(MessageFilter)
export class HomeController {
  constructor(
    private readonly connect: NotionConnectService,
    private readonly results: LastResults,
    private readonly standIn: NotionStandIn,
    private readonly address: QuickstartAddress,
    @Inject(notionAuthConfig.KEY) private readonly config: ConfigType<typeof notionAuthConfig>,
  ) {}

  @Get()
  async home(
    @Req() request: Request,
    @Res() response: Response,
    @Query('notion') notion: unknown,
  ): Promise<void> {
    if (this.address.isMistakenBy(request)) {
      response.redirect(303, this.address.url);
      return;
    }
    const session = Session.of(request) ?? Session.start(response, { secure: this.address.isSecure });
    const arrival = arrivalOf(notion);
    const authorizations = await this.authorizationsOf(session);
    sendPage(response, 200, (nonce) =>
      homePage({
        nonce,
        now: new Date(),
        authorizations,
        // After a trip to Notion, what was done before it says little about what is now.
        result: arrival === null ? this.results.of(session.ownerId) : null,
        formToken: session.formToken,
        simulated: this.standIn.isPresent,
        arrival,
      }),
    );
  }

  /** Without those of the simulator when the real Notion answers, and the other way round. */
  private async authorizationsOf({ ownerId }: Session): Promise<Authorization[]> {
    const authorizations = await this.connect.list(ownerId);
    return authorizations.filter(({ clientId }) => clientId === this.config.clientId);
  }
}

/** Declining adds a second `notion` parameter to the address that was to be returned to; the last one counts. */
function arrivalOf(notion: unknown): 'connected' | 'denied' | null {
  const last: unknown = Array.isArray(notion) ? notion.at(-1) : notion;
  return last === 'connected' || last === 'denied' ? last : null;
}
