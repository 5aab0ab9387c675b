import { applyDecorators, Post, Redirect, SetMetadata } from '@nestjs/common';
import type { NotionFigures } from '../notion-stand-in.js';

/** What an action came to, in words for the person who pressed the button. */
export interface ActionAnswer {
  readonly headline: string;
  readonly details?: readonly string[];
}

/** An action that is over, as the page shows it. */
export interface ActionResult extends ActionAnswer {
  /** Grows with every action of this process, so that a page can tell a new result from the last one. */
  readonly number: number;
  readonly title: string;
  readonly workspaceName: string | null;
  readonly succeeded: boolean;
  readonly nextStep?: string;
  /** `null` when the real Notion answered. */
  readonly figures: NotionFigures | null;
  readonly tookMs: number;
  readonly at: Date;
}

export const ACTION_TITLE = 'quickstart:action-title';

/** A form's target: the report keeps what the method returns, and the browser goes back to the page (303). */
export function Action(path: string, title: string): MethodDecorator {
  return applyDecorators(Post(path), Redirect('/#result', 303), SetMetadata(ACTION_TITLE, title));
}
