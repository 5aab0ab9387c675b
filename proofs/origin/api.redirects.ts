import type { Fault } from 'nestjs-notion-auth/testing';
import type { Grant } from '../harness/stage.js';
import { redirectTargets } from './address.matrix.js';
import { ROUNDS, tellForeign, type Scene } from './origin.scene.js';
import { pointingAnswers, REDIRECTS } from './pointing.answers.js';

/** Every answer that points elsewhere, to every face that asks the API. */
export async function apiAnswers(scene: Scene, { id }: Grant): Promise<void> {
  const { proof, stage, faces } = scene;
  const mark = await stage.notion.ledger.mark();
  let asked = 0;
  let handedOn = 0;
  for (let round = 0; round < proof.pick(ROUNDS); round += 1) {
    for (const [, call] of faces.apiFaces) {
      for (const fault of pointingAnswers(scene.ports)) {
        await stage.notion.fail('api', fault, { times: 1 });
        asked += 1;
        const { status } = fault;
        // The SDK hides which success it was.
        if ([status, status < 300 ? 200 : status].includes(await call(id))) handedOn += 1;
      }
    }
    proof.progress(`API, round ${round + 1}`);
  }
  const name = `${asked} answers of the API that point elsewhere`;
  const reached = await stage.notion.ledger.since(mark).apiCalls();
  proof.figure({
    figure: `${name}: handed to the caller as they are`,
    value: handedOn,
    bound: { equals: asked },
  });
  proof.figure({ figure: `${name}: requests at Notion`, value: reached, bound: { equals: asked } });
  tellForeign(scene, name);
}

/** The token is refused, renewed, and the repetition is sent elsewhere. */
export async function answersAfterRenewal(scene: Scene, { id, botId }: Grant): Promise<void> {
  const { proof, stage, faces, ports } = scene;
  const [, fetchPost] = faces.apiFaces[1]!;
  let handedOn = 0;
  for (const status of REDIRECTS) {
    await stage.notion.expireAccessToken(botId);
    const fault: Fault = { kind: 'redirect', status, location: redirectTargets(ports)[0]! };
    await stage.notion.fail('api', fault, { times: 1, skip: 1 });
    if ((await fetchPost(id)) === status) handedOn += 1;
  }
  const name = `${REDIRECTS.length} redirects after a renewal`;
  const renewals = await stage.notion.ledger.refreshes(botId);
  proof.figure({
    figure: `${name}: handed to the caller`,
    value: handedOn,
    bound: { equals: REDIRECTS.length },
  });
  proof.figure({ figure: `${name}: renewals`, value: renewals, bound: { equals: REDIRECTS.length } });
  tellForeign(scene, name);
}
