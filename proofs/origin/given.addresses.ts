import type { Grant } from '../harness/stage.js';
import { foreignAddresses, otherNames, randomAddress } from './address.matrix.js';
import type { Ending } from './origin.faces.js';
import { tellEndings, type Scene } from './origin.scene.js';

const RANDOM_ADDRESSES = { short: 1_500, long: 40_000 };

/** Everything that is no address of the API, to every face that takes one. */
export async function givenAddresses(scene: Scene, { id }: Grant): Promise<void> {
  const { proof, stage, faces, ports } = scene;
  const mark = await stage.notion.ledger.mark();
  const given = [...foreignAddresses(ports), ...otherNames(ports)];
  const endings: Ending[] = [];
  for (const address of given) endings.push(...(await Promise.all(faces.fetches(id, address))));
  const name = `${given.length} foreign addresses as text, URL and request`;
  proof.figure({ figure: `${name}: calls`, value: endings.length });
  tellEndings(scene, name, endings, { refused: endings.length });
  const reached = await stage.notion.ledger.since(mark).requests();
  proof.figure({ figure: `${name}: requests at Notion`, value: reached.length, bound: { equals: 0 } });
  const bySdk: Ending[] = [];
  for (const address of given) bySdk.push(await faces.sdk(id, address));
  tellEndings(scene, `${given.length} foreign addresses as paths of the SDK`, bySdk, { odd: 0 });
  await randomAddresses(scene, id);
}

async function randomAddresses(scene: Scene, id: string): Promise<void> {
  const { proof, faces, ports, stage } = scene;
  const count = proof.pick(RANDOM_ADDRESSES);
  const mark = await stage.notion.ledger.mark();
  const endings: Ending[] = [];
  for (let at = 0; at < count; at += 1) {
    const address = randomAddress(proof.random, ports);
    endings.push(...(await Promise.all(faces.fetches(id, address))), await faces.sdk(id, address));
    proof.progress(`${at} of ${count} random addresses`);
  }
  const name = `${count} random addresses`;
  tellEndings(scene, name, endings, { odd: 0 });
  const asked = await stage.notion.ledger.since(mark).requests();
  const oauth = asked.filter(({ endpoint }) => endpoint !== 'api' && endpoint !== 'other').length;
  proof.figure({
    figure: `${name}: requests at Notion's OAuth endpoints`,
    value: oauth,
    bound: { equals: 0 },
  });
}
