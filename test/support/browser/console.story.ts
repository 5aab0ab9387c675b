import assert from 'node:assert/strict';
import { assertAccessible, assertReachedByKeyboard, tabTo } from './page.checks.js';
import { QuickstartFace } from './quickstart.face.js';
import type { Stage } from './stage.js';

/** The operators' console, over what the person has done. */
export async function tellOfTheConsole(stage: Stage): Promise<void> {
  const { report, face, person } = stage;
  const page = await person.newPage();
  const operator = new QuickstartFace(page, stage.pictureFolder);
  const id = await face.authorizationId();

  await report.step('leads from the first page to the console', async () => {
    await operator.open(stage.child.url);
    await page.getByRole('link', { name: 'Console' }).click();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.getByRole('img', { name: /^Refreshes\./ }).waitFor();
    await operator.pictures('20-console');
  });

  await report.step('finds the authorization, and shows its attempts', async () => {
    await page.getByRole('searchbox', { name: 'Search' }).fill('lighthouse');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('link', { name: 'Lighthouse Studio' }).click();
    await page.getByRole('heading', { name: 'Lighthouse Studio', level: 1 }).waitFor();
    assert.ok(page.url().endsWith(id), page.url());
    assert.match(await page.locator('.attempts').innerText(), /Grant is over[\s\S]*invalid_grant/);
    await operator.pictures('21-console-authorization');
  });

  await report.step('reaches every control of the console with the keyboard alone', async () => {
    const stops: number[] = [];
    for (const path of ['/console', '/console/authorizations', `/console/authorizations/${id}`]) {
      await operator.open(new URL(path, stage.child.url).href);
      stops.push(await assertReachedByKeyboard(page));
    }
    return `${stops.join(' + ')} controls`;
  });

  await report.step('refreshes by the keyboard alone, and shows what came of it', async () => {
    await tabTo(page, 'Refresh now');
    await page.keyboard.press('Enter');
    await page.locator('[data-outcome="renewed"]').waitFor();
    await operator.picture('22-console-refreshed');
  });

  await report.step('shows the link, and asks before it disconnects', async () => {
    await page.getByRole('button', { name: 'Reconnect link' }).click();
    assert.ok((await page.getByRole('textbox', { name: 'Link to copy' }).inputValue()).includes(id));
    await operator.picture('23-console-link');
    await tabTo(page, 'Disconnect…');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Yes, disconnect' }).waitFor();
    await operator.pictures('24-console-question');
    await page.getByRole('link', { name: 'No, keep it' }).click();
    assert.equal(await page.locator('.status').innerText(), 'Active');
    await page.close();
  });

  await report.step('shows the console to nobody without a session', async () => {
    const stranger = await stage.browser.person();
    for (const path of ['/console', `/console/authorizations/${id}`]) {
      assert.equal((await stranger.request.get(new URL(path, stage.child.url).href)).status(), 403, path);
    }
    await stranger.close();
  });

  await report.step('has no serious fault that axe-core finds, on any page, in light and dark', async () => {
    const seen = await stage.browser.examiner({ storageState: await person.storageState() });
    const paths = [
      '/',
      '/console',
      '/console?span=7d',
      '/console/authorizations',
      `/console/authorizations/${id}`,
    ];
    const asking = `/console/authorizations/${id}?ask=disconnect`;
    for (const path of [...paths, asking, '/console/authorizations/nothing', '/notion/connect']) {
      await assertAccessible(seen, new URL(path, stage.child.url).href);
    }
    await seen.close();
    const newcomer = await stage.browser.examiner();
    await assertAccessible(newcomer, stage.child.url);
    await newcomer.close();
  });
}
