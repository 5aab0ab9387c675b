import assert from 'node:assert/strict';
import { QuickstartChild } from './quickstart.child.js';
import { QuickstartFace } from './quickstart.face.js';
import type { Stage } from './stage.js';

/** What else a person may do with a connected workspace, and what nobody else may. */
export async function tellOfThePerson(stage: Stage): Promise<void> {
  const { report, face, person } = stage;
  const id = await face.authorizationId();

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
    const plain = await stage.browser.person({
      javaScriptEnabled: false,
      storageState: await person.storageState(),
    });
    const plainFace = new QuickstartFace(await plain.newPage(), stage.pictureFolder);
    await plainFace.open(stage.child.url);
    const result = await plainFace.press('Who am I');
    assert.ok(result.succeeded && result.text.includes('Lighthouse Studio'), result.text);
    await plain.close();
  });

  await report.step('shows another browser nothing, and takes no form from it', async () => {
    const stranger = await stage.browser.person();
    const strangerFace = new QuickstartFace(await stranger.newPage(), stage.pictureFolder);
    await strangerFace.open(stage.child.url);
    assert.equal(await strangerFace.cards.count(), 0);
    const action = new URL(`/authorizations/${id}/disconnect`, stage.child.url).href;
    assert.equal((await stranger.request.post(action, { form: {} })).status(), 403);
    assert.equal((await person.request.post(action, { form: { formToken: 'guessed' } })).status(), 403);
    await stranger.close();
  });

  await report.step('keeps the authorization over a restart', async () => {
    const port = Number(new URL(stage.child.url).port);
    assert.equal(await stage.child.stop(), 0, 'the exit code');
    stage.child = await QuickstartChild.start(stage.folder, port);
    await face.open(stage.child.url);
    const result = await face.press('Who am I');
    assert.ok(result.succeeded, result.text);
    assert.deepEqual([result.refreshes, await face.authorizationId()], [0, id]);
  });

  await report.step('reports its health', async () => {
    for (const probe of ['live', 'ready', 'notion']) {
      const answer = await person.request.get(new URL(`/health/${probe}`, stage.child.url).href);
      assert.equal(answer.status(), 200, `/health/${probe}`);
    }
  });

  await report.step('fits a phone', async () => {
    assert.equal(await face.overflowOnPhone(), 0, 'the page is wider than a phone');
  });

  await report.step('disconnects', async () => {
    const result = await face.press('Disconnect');
    assert.ok(result.succeeded && result.text.includes('Disconnected'), result.text);
    assert.equal(await face.cards.count(), 0);
    await face.picture('13-disconnected');
  });
}
