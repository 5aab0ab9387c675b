/**
 * The quickstart in a real browser, from an empty folder: `npm run build && npm run build:tools`, then
 * `node build/test/support/quickstart-browser.process.js`. Pictures of each step go to `artifacts/quickstart`.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { QuickstartChild } from './browser/quickstart.child.js';
import { QuickstartFace } from './browser/quickstart.face.js';
import { StepReport } from './browser/step.report.js';
import { WatchedBrowser } from './browser/watched.browser.js';

const PICTURES = resolve('artifacts/quickstart');
const FIRST_PAGE_WITHIN_MS = 15_000;
const WORKSPACE = 'Lighthouse Studio';

await rm(PICTURES, { recursive: true, force: true });
await mkdir(PICTURES, { recursive: true });
const folder = await mkdtemp(join(tmpdir(), 'quickstart-'));
let quickstart = await QuickstartChild.start(folder, 0);
const browser = await WatchedBrowser.open();
const person = await browser.person();
const face = new QuickstartFace(await person.newPage(), PICTURES);
const report = new StepReport(() => face.picture('failure'));
let id = '';

await report.step('serves the first page', async () => {
  assert.ok(quickstart.firstPageMs < FIRST_PAGE_WITHIN_MS, `it took ${quickstart.firstPageMs} ms`);
  await face.open(quickstart.url);
  assert.equal(await face.cards.count(), 0);
  await face.picture('01-first-page');
  return `${(quickstart.firstPageMs / 1_000).toFixed(1)} s after the start of the process`;
});

await report.step('asks on the consent page', async () => {
  await face.leaveFor('Connect a Notion workspace');
  await face.pictures('02-consent');
  assert.equal(await face.overflowAt390(), 0, 'the consent page is wider than a phone');
});

await report.step('connects', async () => {
  await face.decide('Allow access');
  assert.match(await face.notice.innerText(), /^Connected/);
  assert.equal(await face.cards.count(), 1);
  assert.equal(await face.status(), 'active');
  id = await face.authorizationId();
  await face.pictures('03-connected');
});

await report.step('says who the token is', async () => {
  const result = await face.press('Who am I');
  assert.ok(result.succeeded && result.text.includes(WORKSPACE), result.text);
  assert.deepEqual(figures(result), { calls: 1, refused: 0, refreshes: 0 });
  await face.picture('04-who-am-i');
});

await report.step('lets Notion forget the access token', async () => {
  assert.ok((await face.press('Make Notion forget the access token')).succeeded);
  await face.picture('05-forgotten');
});

await report.step('answers all the same, after one refresh', async () => {
  const result = await face.press('Who am I');
  assert.ok(result.succeeded && result.text.includes(WORKSPACE), result.text);
  assert.deepEqual(figures(result), { calls: 2, refused: 1, refreshes: 1 });
  assert.equal(await face.version(), 2);
  await face.picture('06-renewed');
});

await report.step('answers 100 calls at once on a forgotten token, after one refresh', async () => {
  await face.press('Make Notion forget the access token');
  const result = await face.press('100 calls at once');
  assert.ok(result.succeeded && result.text.includes('100 of 100'), result.text);
  assert.equal(result.refreshes, 1);
  assert.equal(result.calls - result.refused, 100);
  await face.pictures('07-hundred-calls');
  return `${result.refused} of ${result.calls} calls met the dead token`;
});

await report.step('learns of a revocation and says that only the person can help', async () => {
  await face.press('Revoke in Notion');
  const result = await face.press('Who am I');
  assert.ok(!result.succeeded && result.text.includes('Press Reconnect'), result.text);
  assert.equal(result.refreshes, 1);
  assert.equal(await face.status(), 'needs_reconnect');
  await face.pictures('08-needs-reconnect');
});

await report.step('bothers Notion no more: 20 calls, nothing sent', async () => {
  for (let call = 1; call <= 20; call += 1) {
    const result = await face.press('Who am I');
    assert.ok(!result.succeeded, `call ${call} succeeded`);
    assert.deepEqual(figures(result), { calls: 0, refused: 0, refreshes: 0 }, `call ${call}`);
  }
});

await report.step('reconnects under the same id', async () => {
  await face.leaveFor('Reconnect');
  await face.decide('Allow access');
  assert.equal(await face.authorizationId(), id);
  assert.equal(await face.status(), 'active');
  const result = await face.press('Who am I');
  assert.ok(result.succeeded && result.text.includes(WORKSPACE), result.text);
  assert.deepEqual(figures(result), { calls: 1, refused: 0, refreshes: 0 });
  await face.picture('09-reconnected');
});

await report.step('searches', async () => {
  const result = await face.press('Search');
  assert.ok(result.succeeded && result.text.includes('Product roadmap'), result.text);
  await face.picture('10-search');
});

await report.step('changes nothing when the person cancels', async () => {
  const version = await face.version();
  await face.leaveFor('Connect a Notion workspace');
  await face.decide('Cancel');
  assert.match(await face.notice.innerText(), /Not connected.*Nothing has changed/);
  assert.deepEqual(
    [await face.cards.count(), await face.authorizationId(), await face.version()],
    [1, id, version],
  );
  await face.picture('11-cancelled');
});

await report.step('is used with the keyboard alone, and keeps the focus where it was', async () => {
  await face.tabTo('Search');
  const result = await face.afterNextResult(() => face.page.keyboard.press('Enter'));
  assert.ok(result.succeeded, result.text);
  assert.equal(await face.focusedText(), 'Search');
  await face.picture('12-keyboard');
});

await report.step('works without JavaScript', async () => {
  const plain = await browser.person({ javaScriptEnabled: false, storageState: await person.storageState() });
  const plainFace = new QuickstartFace(await plain.newPage(), PICTURES);
  await plainFace.open(quickstart.url);
  const result = await plainFace.press('Who am I');
  assert.ok(result.succeeded && result.text.includes(WORKSPACE), result.text);
  await plain.close();
});

await report.step('shows another browser nothing, and takes no form from it', async () => {
  const stranger = await browser.person();
  const strangerFace = new QuickstartFace(await stranger.newPage(), PICTURES);
  await strangerFace.open(quickstart.url);
  assert.equal(await strangerFace.cards.count(), 0);
  const action = new URL(`/authorizations/${id}/disconnect`, quickstart.url).href;
  assert.equal((await stranger.request.post(action, { form: {} })).status(), 403);
  assert.equal((await person.request.post(action, { form: { formToken: 'guessed' } })).status(), 403);
  await stranger.close();
});

await report.step('keeps the authorization over a restart', async () => {
  const port = Number(new URL(quickstart.url).port);
  assert.equal(await quickstart.stop(), 0, 'the exit code');
  quickstart = await QuickstartChild.start(folder, port);
  await face.open(quickstart.url);
  const result = await face.press('Who am I');
  assert.ok(result.succeeded, result.text);
  assert.deepEqual([result.refreshes, await face.authorizationId()], [0, id]);
});

await report.step('reports its health', async () => {
  for (const probe of ['live', 'ready', 'notion']) {
    const answer = await person.request.get(new URL(`/health/${probe}`, quickstart.url).href);
    assert.equal(answer.status(), 200, `/health/${probe}`);
  }
});

await report.step('fits a phone', async () => {
  assert.equal(await face.overflowAt390(), 0, 'the page is wider than a phone');
});

await report.step('disconnects', async () => {
  const result = await face.press('Disconnect');
  assert.ok(result.succeeded && result.text.includes('Disconnected'), result.text);
  assert.equal(await face.cards.count(), 0);
  await face.picture('13-disconnected');
});

await report.step('never made the browser complain, nor ask anybody else', async () => {
  assert.deepEqual(browser.complaints, []);
  assert.deepEqual(browser.foreignRequests, []);
  await Promise.resolve();
});

await browser.close();
await report.step('ends cleanly when told to', async () => {
  assert.equal(await quickstart.stop(), 0, 'the exit code');
});
await quickstart.stop();
await rm(folder, { recursive: true, force: true });
process.exitCode = report.finish();

function figures({ calls, refused, refreshes }: { calls: number; refused: number; refreshes: number }) {
  return { calls, refused, refreshes };
}
