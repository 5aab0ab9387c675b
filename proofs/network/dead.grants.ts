import { setTimeout as sleep } from 'node:timers/promises';
import { Secret, type AuthorizationStore, type RefreshOutcome } from 'nestjs-notion-auth';
import type { Grant } from '../harness/stage.js';
import { judge, letTimePass, type NetworkStage } from './network.stage.js';

/** Row 29: `invalid_grant` means three different things. */
export async function deadGrants(network: NetworkStage): Promise<void> {
  await revokedByThePerson(network);
  await rotatedByAPeer(network);
  await reconnectedMeanwhile(network);
  await afterAnUnknownOutcome(network);
}

async function revokedByThePerson(network: NetworkStage): Promise<void> {
  const { stage, replicas } = network;
  // One alone: many at once would look like a fault of ours.
  const [grant] = (await stage.connect(1)) as [Grant];
  await stage.notion.revokeGrant(grant.botId);
  const outcome = await replicas[0].refresh(grant.id);
  tell(network, 'revoked by the person', 'revoked_or_expired', reasonOf(outcome));
}

/** A peer that looked at the row before we stored asks for its successor. */
async function rotatedByAPeer(network: NetworkStage): Promise<void> {
  const { stage, replicas } = network;
  const [grant] = (await stage.connect(1)) as [Grant];
  const mark = await stage.notion.ledger.mark();
  await replicas[0].refresh(grant.id);
  const outcome = await replicas[1].refresh(grant.id, 1);
  tell(network, 'a peer had rotated already', 'followed', outcome.kind);
  const requests = await stage.notion.ledger.since(mark).refreshes();
  const figure = 'row 29, a peer had rotated already: requests';
  network.proof.figure({ figure, value: requests, bound: { equals: 1 } });
}

/** The refused token is not the stored one any more: the person came back while the request was on its way. */
async function reconnectedMeanwhile(network: NetworkStage): Promise<void> {
  const { stage, replicas } = network;
  const [grant] = (await stage.connect(1)) as [Grant];
  const late = { kind: 'delay', ms: 1_000, processed: false } as const;
  await stage.notion.fail('refresh', late, { times: 1, botId: grant.botId });
  const { kind } = await stage.inspect(async (store) => {
    const refused = replicas[0].refresh(grant.id);
    await sleep(300);
    await reconnect(network, store, grant);
    return refused;
  });
  tell(network, 'the person had reconnected meanwhile', 'followed', kind);
  const { good } = await judge(network, [grant]);
  const figure = 'row 29, the person had reconnected meanwhile: newest pair stored';
  network.proof.figure({ figure, value: good, bound: { equals: 1 } });
}

async function afterAnUnknownOutcome(network: NetworkStage): Promise<void> {
  const { stage, replicas, rows } = network;
  const [grant] = (await stage.connect(1)) as [Grant];
  await stage.notion.configure({ introspectRefreshTokens: 'error' });
  await stage.notion.fail('refresh', { kind: 'drop_after' }, { times: 1, botId: grant.botId });
  await replicas[0].refresh(grant.id);
  await letTimePass(rows);
  const mark = await stage.notion.ledger.mark();
  const outcome = await replicas[0].refresh(grant.id);
  tell(network, 'after an unknown outcome', 'lost_rotation', reasonOf(outcome));
  await replicas[1].refresh(grant.id);
  const replays = await stage.notion.ledger.since(mark).replaysOfSpentTokens(grant.botId);
  const figure = 'row 29, after an unknown outcome: times presented again';
  network.proof.figure({ figure, value: replays, bound: { equals: 1 } });
  await stage.notion.configure({ introspectRefreshTokens: 'answers' });
}

/** The same person grants the same workspace again; Notion ends the pair from before. */
async function reconnect({ stage }: NetworkStage, store: AuthorizationStore, grant: Grant): Promise<void> {
  const before = await store.find(grant.id);
  if (before === null) throw new Error('There is no such authorization.');
  const { ownerUserId: person, workspaceId: workspace } = before;
  const granted = await stage.notion.grant({ person: person ?? undefined, workspace });
  const { accessToken, refreshToken, ownerType, ...again } = granted;
  await store.connect({
    ownerId: 'owner-1',
    clientId: stage.notion.clientId,
    redirectUri: before.redirectUri,
    reconnect: grant.id,
    grant: { ...again, ownerKind: ownerType },
    pair: {
      accessToken: new Secret(accessToken),
      refreshToken: refreshToken === null ? null : new Secret(refreshToken),
      expiresInMs: null,
    },
  });
}

function reasonOf(outcome: RefreshOutcome): string {
  return outcome.kind === 'needs_reconnect' ? outcome.reason : outcome.kind;
}

function tell({ proof }: NetworkStage, setUp: string, wanted: string, got: string): void {
  if (got !== wanted) proof.say(`row 29, ${setUp}: ${got} instead of ${wanted}`);
  proof.figure({
    figure: `row 29, ${setUp}: ${wanted}`,
    value: Number(got === wanted),
    bound: { equals: 1 },
  });
}
