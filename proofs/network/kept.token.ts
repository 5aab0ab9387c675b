import { ids, judge, type NetworkStage } from './network.stage.js';

/** Row 31: a refresh without a new refresh token keeps the one that was presented. */
export async function keptToken(network: NetworkStage): Promise<void> {
  const { proof, stage, rows, replicas } = network;
  for (const mode of ['null', 'omitted'] as const) {
    await stage.notion.configure({ refreshTokenOnRefresh: mode });
    const grants = await stage.connect(proof.pick({ short: 4, long: 50 }));
    const wanted = new Set(ids(grants));
    const once = await replicas[0].refreshAll(ids(grants));
    const twice = await replicas[1].refreshAll(ids(grants));
    const name = `row 31, refresh token ${mode}`;
    const renewed = (once.outcomes['renewed'] ?? 0) + (twice.outcomes['renewed'] ?? 0);
    proof.figure({ figure: `${name}: renewed`, value: renewed, bound: { equals: 2 * grants.length } });
    const stored = (await rows.list()).filter(({ id }) => wanted.has(id));
    const erased = stored.filter(({ refreshToken }) => refreshToken === null).length;
    proof.figure({ figure: `${name}: overwritten by nothing`, value: erased, bound: { equals: 0 } });
    const { good } = await judge(network, grants);
    proof.figure({
      figure: `${name}: stored refresh token alive`,
      value: good,
      bound: { equals: grants.length },
    });
    const usable = await Promise.all(grants.map((grant) => stage.isUsable(grant)));
    const replaced = usable.filter(Boolean).length;
    proof.figure({
      figure: `${name}: access token replaced`,
      value: replaced,
      bound: { equals: grants.length },
    });
  }
  await stage.notion.configure({ refreshTokenOnRefresh: 'rotated' });
}
