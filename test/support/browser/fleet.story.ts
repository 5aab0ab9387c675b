import assert from 'node:assert/strict';
import { join } from 'node:path';
import { CLIENT_ID, ConsoleSite, KEY_ID } from '../console/console.site.js';
import { fillFleet, idOf } from '../console/fleet.filler.js';
import { assertAccessible } from './page.checks.js';
import { QuickstartFace } from './quickstart.face.js';
import type { Stage } from './stage.js';

const FROM_INSIDE = { extraHTTPHeaders: { 'x-from-inside': 'yes' } };
const LONG_NAME =
  'The Department of Redundancy Department, Subdivision of Long Names & Unbrokenlyconcatenatedwordsofnorealuse ';

/** By the names of their pictures. */
const BUSY_PAGES: Readonly<Record<string, string>> = {
  '26-console-week': '?span=7d',
  '27-console-day': '',
  '28-console-list': '/authorizations',
  '29-console-needs-reconnect': '/authorizations?status=needs_reconnect',
  '30-console-long-name': `/authorizations/${idOf(7)}`,
};

/** The console over nobody at all, and over a busy week of two thousand people. */
export async function tellOfTheFleet(stage: Stage): Promise<void> {
  const { report } = stage;
  await report.step('says what a new installation has to say', () =>
    withSite(stage, 'new', async (site, face) => {
      await face.open(pageOf(site, ''));
      await face.page.getByText('No refresh ended in the last 24 hours.').waitFor();
      await face.pictures('25-console-empty');
      await face.open(pageOf(site, '/authorizations'));
      await face.page.getByText('Nobody has connected Notion yet.').waitFor();
    }),
  );

  await report.step('is readable after a busy week, also on a phone, and has no serious fault', () =>
    withSite(stage, 'busy', async (site, face) => {
      await fillWeek(site);
      await face.open(pageOf(site, '?span=7d'));
      for (const [name, path] of Object.entries(BUSY_PAGES)) {
        await face.open(pageOf(site, path));
        await face.pictures(name);
        assert.equal(await face.overflowOnPhone(), 0, `${path} is wider than a phone`);
      }
      const seen = await stage.browser.examiner(FROM_INSIDE);
      for (const path of Object.values(BUSY_PAGES)) await assertAccessible(seen, pageOf(site, path));
      await seen.close();
    }),
  );
}

async function withSite(
  { browser, folder, pictureFolder }: Stage,
  name: string,
  look: (site: ConsoleSite, face: QuickstartFace) => Promise<void>,
): Promise<void> {
  const site = await ConsoleSite.start({ databaseFile: join(folder, `${name}.sqlite`) });
  const person = await browser.person(FROM_INSIDE);
  try {
    await look(site, new QuickstartFace(await person.newPage(), pictureFolder));
  } finally {
    await person.close();
    await site.close();
  }
}

async function fillWeek(site: ConsoleSite): Promise<void> {
  const fleet = { family: 'sqlite', clientId: CLIENT_ID, keyId: KEY_ID } as const;
  await fillFleet((statement) => site.run(statement), { ...fleet, authorizations: 2_000, attempts: 60_000 });
  await site.run(
    `UPDATE notion_authorization SET workspace_name = '${LONG_NAME.repeat(2)}', status_since = ${String(Date.now())} WHERE id = '${idOf(7)}'`,
  );
}

function pageOf({ url }: ConsoleSite, path: string): string {
  return `${url}/notion/console${path}`;
}
