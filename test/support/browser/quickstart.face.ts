import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';

const PHONE = { width: 390, height: 844 };

/** What the page says of an action that is over. */
export interface ShownResult {
  readonly succeeded: boolean;
  readonly text: string;
  readonly calls: number;
  readonly refused: number;
  readonly refreshes: number;
}

export type CallAction = 'Who am I' | 'Search' | '100 calls at once';
export type OtherAction = 'Make Notion forget the access token' | 'Revoke in Notion' | 'Disconnect';

/** The quickstart's page as a person meets it: found by what it says, not by how it is built. */
export class QuickstartFace {
  constructor(
    readonly page: Page,
    private readonly pictureFolder: string,
  ) {}

  async open(url: string): Promise<void> {
    await this.page.goto(url);
  }

  get cards(): Locator {
    return this.page.getByRole('article');
  }

  get notice(): Locator {
    return this.page.locator('#notice');
  }

  async authorizationId(): Promise<string> {
    return (await this.cards.first().getAttribute('data-authorization')) ?? '';
  }

  async status(): Promise<string> {
    return (await this.cards.first().getAttribute('data-status')) ?? '';
  }

  async version(): Promise<number> {
    return Number(await this.cards.first().locator('[data-fact="version"]').innerText());
  }

  /** Presses a button of the first card and waits for what came of it. */
  async press(label: CallAction | OtherAction): Promise<ShownResult> {
    return this.afterNextResult(() =>
      this.cards.first().getByRole('button', { name: label, exact: true }).click(),
    );
  }

  async afterNextResult(act: () => Promise<void>): Promise<ShownResult> {
    const before = await this.resultNumber();
    await act();
    await this.page.locator(`[data-result]:not([data-result="${before}"])`).waitFor();
    return this.shownResult();
  }

  /** Leaves for the consent page of Notion. */
  async leaveFor(link: 'Connect a Notion workspace' | 'Reconnect'): Promise<void> {
    await this.page.getByRole('link', { name: link, exact: true }).first().click();
    await this.page.getByRole('button', { name: 'Allow access' }).waitFor();
  }

  /** Decides on the consent page, and is back. */
  async decide(decision: 'Allow access' | 'Cancel'): Promise<void> {
    await this.page.getByRole('button', { name: decision }).click();
    await this.page.getByRole('heading', { name: 'Notion workspaces' }).waitFor();
  }

  /** Presses the tabulator until the first button of that name has the focus. */
  async tabTo(label: CallAction): Promise<void> {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await this.focusedText()) === label) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`The keyboard does not reach ${label}.`);
  }

  async focusedText(): Promise<string> {
    const focused = this.page.locator('*:focus');
    return (await focused.count()) === 0 ? '' : focused.innerText();
  }

  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: join(this.pictureFolder, `${name}.png`), fullPage: true });
  }

  /** The same page in light, dark, and on a phone. */
  async pictures(name: string): Promise<void> {
    await this.picture(name);
    await this.page.emulateMedia({ colorScheme: 'dark' });
    await this.picture(`${name}-dark`);
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.onPhone(() => this.picture(`${name}-${PHONE.width}`));
  }

  /** By how many pixels the page is wider than a phone shows. */
  async overflowOnPhone(): Promise<number> {
    return this.onPhone(async () => {
      const width = await this.page.evaluate<number>('document.documentElement.scrollWidth');
      return Math.max(0, width - PHONE.width);
    });
  }

  private async onPhone<T>(look: () => Promise<T>): Promise<T> {
    const before = this.page.viewportSize()!;
    await this.page.setViewportSize(PHONE);
    const seen = await look();
    await this.page.setViewportSize(before);
    return seen;
  }

  private async resultNumber(): Promise<string> {
    const shown = this.page.locator('[data-result]');
    return (await shown.count()) === 0 ? '' : ((await shown.getAttribute('data-result')) ?? '');
  }

  private async shownResult(): Promise<ShownResult> {
    const shown = this.page.locator('[data-result]');
    const figure = async (name: string) => Number(await shown.locator(`[data-figure="${name}"]`).innerText());
    return {
      succeeded: (await shown.getAttribute('data-outcome')) === 'succeeded',
      text: await shown.innerText(),
      calls: await figure('calls'),
      refused: await figure('refused'),
      refreshes: await figure('refreshes'),
    };
  }
}
