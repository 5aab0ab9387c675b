/**
 * The quickstart in a real browser, from an empty folder. After `npm run build && npm run build:tools`:
 * `node build/test/support/quickstart-browser.process.js`. Pictures of each step go to `artifacts/quickstart`.
 */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { tellOfTheConsole } from './browser/console.story.js';
import { tellOfTheFleet } from './browser/fleet.story.js';
import { tellOfThePerson } from './browser/person.story.js';
import { QuickstartChild } from './browser/quickstart.child.js';
import { QuickstartFace } from './browser/quickstart.face.js';
import { tellOfRenewal } from './browser/renewal.story.js';
import type { Stage } from './browser/stage.js';
import { StepReport } from './browser/step.report.js';
import { WatchedBrowser } from './browser/watched.browser.js';

const pictureFolder = resolve('artifacts/quickstart');
const folder = await mkdtemp(join(tmpdir(), 'quickstart-'));
await rm(pictureFolder, { recursive: true, force: true });
await mkdir(pictureFolder, { recursive: true });

const report = new StepReport();
process.exitCode = await report.tell(async () => {
  const browser = await WatchedBrowser.open();
  try {
    await withQuickstart(browser);
  } finally {
    await browser.close();
  }
});
await rm(folder, { recursive: true, force: true });

async function withQuickstart(browser: WatchedBrowser): Promise<void> {
  const child = await QuickstartChild.start(folder, 0);
  const person = await browser.person();
  const face = new QuickstartFace(await person.newPage(), pictureFolder);
  const stage: Stage = { report, browser, person, face, folder, pictureFolder, child };
  try {
    await tellAll(stage);
  } catch (error) {
    await face.picture('failure');
    throw error;
  } finally {
    await stage.child.stop();
  }
}

async function tellAll(stage: Stage): Promise<void> {
  await tellOfRenewal(stage);
  await tellOfTheConsole(stage);
  await tellOfTheFleet(stage);
  await tellOfThePerson(stage);
  await report.step('never made the browser complain, nor ask anybody else', () => {
    assert.deepEqual(stage.browser.complaints, []);
    assert.deepEqual(stage.browser.foreignRequests, []);
    return Promise.resolve();
  });
  await report.step('ends cleanly when told to', async () => {
    assert.equal(await stage.child.stop(), 0, 'the exit code');
  });
}
