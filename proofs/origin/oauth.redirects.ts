import type { Grant } from '../harness/stage.js';
import { redirectTargets } from './address.matrix.js';
import { ROUNDS, tellForeign, type Scene } from './origin.scene.js';
import { pointingAnswers, REDIRECTS } from './pointing.answers.js';

/** The same answers from the endpoints that are told secrets in the body. */
export async function oauthAnswers(scene: Scene): Promise<void> {
  const { proof, stage, faces } = scene;
  const mark = await stage.notion.ledger.mark();
  const taken: string[] = [];
  for (let round = 0; round < proof.pick(ROUNDS); round += 1) {
    for (const [target, ask] of faces.oauthFaces) {
      for (const fault of pointingAnswers(scene.ports)) {
        if (target === 'revoke' && fault.status < 300) continue;
        await stage.notion.fail(target, fault, { times: 1 });
        taken.push(await ask());
      }
    }
    proof.progress(`OAuth, round ${round + 1}`);
  }
  const name = `${taken.length} answers of OAuth endpoints that point elsewhere`;
  const believed = taken.filter((kind) => ['success', 'active', 'dead', 'inactive'].includes(kind)).length;
  const reached = (await stage.notion.ledger.since(mark).requests()).length;
  proof.figure({ figure: `${name}: believed`, value: believed, bound: { equals: 0 } });
  proof.figure({ figure: `${name}: requests at Notion`, value: reached, bound: { equals: taken.length } });
  tellForeign(scene, name);
}

/** The whole protocol, sent elsewhere in the middle of a refresh: nobody may be the poorer for it. */
export async function redirectedRefreshes(scene: Scene, grants: readonly Grant[]): Promise<void> {
  const { proof, stage, faces, ports } = scene;
  const [elsewhere] = redirectTargets(ports);
  const kinds: string[] = [];
  for (const [at, grant] of grants.entries()) {
    const status = REDIRECTS[at % REDIRECTS.length]!;
    await stage.notion.fail(
      'refresh',
      { kind: 'redirect', status, location: elsewhere! },
      { times: 1, botId: grant.botId },
    );
    kinds.push(await faces.refresh(grant));
  }
  const name = `${grants.length} refreshes that were redirected`;
  const unknown = kinds.filter((kind) => kind === 'unknown').length;
  proof.figure({ figure: `${name}: unknown`, value: unknown, bound: { equals: grants.length } });
  tellForeign(scene, name);
}
