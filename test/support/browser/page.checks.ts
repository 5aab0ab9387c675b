import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';

const MOST_TABS = 300;

/** What a keyboard can stop at, but for what is folded away. */
const MARK_CONTROLS = `(() => {
  const selector = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  const shown = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  shown.forEach((one, number) => one.setAttribute('data-stop', String(number)));
  document.activeElement?.blur();
  return shown.length;
})()`;
const STOP = `document.activeElement?.getAttribute('data-stop') ?? null`;

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

/** Goes through the page with the tabulator: every control is reached, and nothing holds the focus. */
export async function assertReachedByKeyboard(page: Page): Promise<number> {
  const controls = await page.evaluate<number>(MARK_CONTROLS);
  const reached = new Set<string>();
  for (let tabs = 0; tabs < MOST_TABS && reached.size < controls; tabs += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate<string | null>(STOP);
    if (stop !== null) reached.add(stop);
  }
  assert.equal(reached.size, controls, `the keyboard reaches ${reached.size} of ${controls} controls`);
  return controls;
}

/** Presses the tabulator until the control of that name has the focus. */
export async function tabTo(page: Page, text: string): Promise<void> {
  for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
    const focused = page.locator('*:focus');
    if ((await focused.count()) > 0 && (await focused.innerText()).trim() === text) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not reach ${text}.`);
}

/**
 * What axe-core finds on the page in light and in dark, everything unfolded.
 * @param context - An examiner's: the content security policy of the pages would let no script in.
 */
export async function assertAccessible(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`);
  await page.addScriptTag({ content: axe.source });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations, passes } = await page.evaluate<AxeResults>(`axe.run(document)`);
    assert.ok(passes.length > 10, 'axe-core looked at the page');
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(grave.map(toldOf), [], `${new URL(url).pathname} in ${colorScheme}`);
  }
  await page.close();
}

interface AxeResults {
  readonly violations: readonly Violation[];
  readonly passes: readonly unknown[];
}

function toldOf({ id, nodes }: Violation): string {
  const [first] = nodes;
  return `${id}: ${first?.target.join(' ') ?? ''} ${first?.failureSummary ?? ''}`;
}
