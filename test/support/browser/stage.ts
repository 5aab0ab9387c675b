import type { BrowserContext } from 'playwright-core';
import type { QuickstartChild } from './quickstart.child.js';
import type { QuickstartFace } from './quickstart.face.js';
import type { StepReport } from './step.report.js';
import type { WatchedBrowser } from './watched.browser.js';

/** What the stories play with. */
export interface Stage {
  readonly report: StepReport;
  readonly browser: WatchedBrowser;
  /** The browser of the person the stories are about. */
  readonly person: BrowserContext;
  readonly face: QuickstartFace;
  /** Where the quickstart keeps its data. */
  readonly folder: string;
  readonly pictureFolder: string;
  /** Another one after a restart. */
  child: QuickstartChild;
}
