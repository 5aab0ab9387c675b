import assert from 'node:assert/strict';
import type { ShownResult } from './quickstart.face.js';
import type { Stage } from './stage.js';

const FIRST_PAGE_WITHIN_MS = 15_000;
const WORKSPACE = 'Lighthouse Studio';

/** Connected, kept alive through dead tokens, honest once it is revoked, and connected again. */
export async function tellOfRenewal(stage: Stage): Promise<void> {
  const { report, face } = stage;
  let id = '';

  await report.step('serves the first page', async () => {
    assert.ok(stage.child.firstPageMs < FIRST_PAGE_WITHIN_MS, `it took ${stage.child.firstPageMs} ms`);
    await face.open(stage.child.url);
    assert.equal(await face.cards.count(), 0);
    await face.picture('01-first-page');
    return `${(stage.child.firstPageMs / 1_000).toFixed(1)} s after the start of the process`;
  });

  await report.step('asks on the consent page', async () => {
    await face.leaveFor('Connect a Notion workspace');
    await face.pictures('02-consent');
    assert.equal(await face.overflowOnPhone(), 0, 'the consent page is wider than a phone');
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
}

function figures({ calls, refused, refreshes }: ShownResult) {
  return { calls, refused, refreshes };
}
