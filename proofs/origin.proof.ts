import { prove } from './harness/proof.js';
import { Stage, type Grant } from './harness/stage.js';
import { answersAfterRenewal, apiAnswers } from './origin/api.redirects.js';
import { ForeignOrigin } from './origin/foreign.origin.js';
import { givenAddresses } from './origin/given.addresses.js';
import { oauthAnswers, redirectedRefreshes } from './origin/oauth.redirects.js';
import { OriginFaces } from './origin/origin.faces.js';
import type { Scene } from './origin/origin.scene.js';
import { REDIRECTS } from './origin/pointing.answers.js';
import { secretsIn } from './origin/secret.traces.js';
import { trustingClient } from './origin/trusting.client.js';

await prove('origin', async (proof) => {
  const stage = await Stage.open(proof, { engine: 'sqlite' });
  const foreign = await ForeignOrigin.start(proof.leftovers);
  const faces = await OriginFaces.open(stage);
  proof.leftovers.onEnd(() => faces.close());
  const ports = { notion: Number(new URL(stage.notion.url).port), foreign: foreign.port };
  const scene = { proof, stage, foreign, faces, ports };
  await trustingClient(scene);
  const grants = await stage.connect(3 + REDIRECTS.length * 2);
  const [first, second, third, ...others] = grants as [Grant, Grant, Grant, ...Grant[]];
  await givenAddresses(scene, first);
  await apiAnswers(scene, second);
  await answersAfterRenewal(scene, third);
  await oauthAnswers(scene);
  await redirectedRefreshes(scene, others);
  await judge(scene, grants);
});

async function judge(scene: Scene, grants: readonly Grant[]): Promise<void> {
  const { proof, stage, foreign, faces } = scene;
  const issued = (await stage.notion.ledger.tokens()).map(({ value }) => value);
  const secrets = [...issued, ...faces.secrets, stage.notion.clientSecret, stage.notion.clientId];
  const seen = secretsIn(foreign.bytes, secrets);
  const name = `${secrets.length} tokens, codes and credentials`;
  proof.figure({ figure: `${name}: seen by the other origin`, value: seen, bound: { equals: 0 } });
  const findings = await stage.check();
  proof.figure({
    figure: 'authorizations as good as before',
    value: findings.good,
    bound: { equals: grants.length },
  });
  proof.figure({ figure: 'wrong reconnects', value: findings.wrongReconnects, bound: { equals: 0 } });
}
