import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { NotionAuthError } from 'nestjs-notion-auth';
import { explainProblem } from '../actions/problem.words.js';
import { NotionStandIn } from '../notion-stand-in.js';
import { messagePage } from './message.page.js';
import { sendPage } from './send-page.js';

/** Says in a page why there is no other. */
@Catch(HttpException, NotionAuthError)
export class MessageFilter implements ExceptionFilter<HttpException | NotionAuthError> {
  constructor(private readonly standIn: NotionStandIn) {}

  catch(error: HttpException | NotionAuthError, host: ArgumentsHost): void {
    const { status, title, text } = messageOf(error);
    const notionName = this.standIn.isPresent ? 'Simulated Notion' : 'Notion';
    sendPage(host.switchToHttp().getResponse<Response>(), status, (nonce) =>
      messagePage({ nonce, notionName, title, text }),
    );
  }
}

function messageOf(error: HttpException | NotionAuthError) {
  if (error instanceof HttpException) {
    return { status: error.getStatus(), title: 'That did not work', text: error.message };
  }
  const { headline, nextStep } = explainProblem(error);
  return { status: 503, title: headline, text: nextStep };
}
