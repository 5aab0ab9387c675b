import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NotionRefreshService, type NotionAuthOptions } from 'nestjs-notion-auth';
import { temporaryFolder } from '../harness/database.js';
import { freePort } from '../harness/free-port.js';
import { startApplication } from '../harness/replica.application.js';
import type { Grant } from '../harness/stage.js';
import { ids, judge, letTimePass, NETWORK_REFRESH, type NetworkStage } from './network.stage.js';
import { resolve } from './single.answers.js';

/** Row 21: nothing can be sent at all. */
export async function unreachable(network: NetworkStage): Promise<void> {
  const { proof } = network;
  await notSent(network, 'connection refused', `http://127.0.0.1:${await freePort()}`);
  await notSent(network, 'name that does not resolve', 'https://notion.invalid');
  const untrusted = startUntrusted(network);
  if (untrusted === null) {
    proof.skip('row 21, untrusted certificate', 'openssl is not installed here');
    return;
  }
  const port = await listen(untrusted);
  await notSent(network, 'certificate that nobody signed', `https://127.0.0.1:${port}`);
  await new Promise((closed) => untrusted.close(closed));
}

/** Row 22: the connection stands and is reset at once; whether a byte left, nobody can say. */
export async function resetBeforeRequest(network: NetworkStage): Promise<void> {
  const { proof, stage, replicas } = network;
  const grants = await stage.connect(proof.pick({ short: 4, long: 50 }));
  const mark = await stage.notion.ledger.mark();
  stage.notionWire.spoil({ down: true });
  const { outcomes } = await replicas[0].refreshAll(ids(grants));
  stage.notionWire.heal();
  const name = 'row 22, reset before the request';
  const classed = (outcomes['unknown'] ?? 0) + (outcomes['not_sent'] ?? 0);
  proof.figure({ figure: `${name}: unknown or not_sent`, value: classed, bound: { equals: grants.length } });
  const arrived = await stage.notion.ledger.since(mark).refreshes();
  proof.figure({ figure: `${name}: requests that reached Notion`, value: arrived, bound: { equals: 0 } });
  await resolve(network, grants);
  const { good } = await judge(network, grants);
  proof.figure({ figure: `${name}: recovered`, value: good, bound: { equals: grants.length } });
}

async function notSent(network: NetworkStage, why: string, apiBaseUrl: string): Promise<void> {
  const { proof, stage, rows } = network;
  const grants = await stage.connect(proof.pick({ short: 3, long: 50 }));
  const mark = await stage.notion.ledger.mark();
  // Names are looked up a few at a time, and slowly where there is no resolver: what counts is the verdict.
  const refresh = { ...NETWORK_REFRESH, callerWaitMs: 30_000 };
  const kinds = await refreshFrom({ ...stage.directOptions, refresh, apiBaseUrl }, grants);
  const name = `row 21, ${why}`;
  const count = kinds.filter((kind) => kind === 'not_sent').length;
  proof.figure({ figure: `${name}: not_sent`, value: count, bound: { equals: grants.length } });
  const arrived = await stage.notion.ledger.since(mark).refreshes();
  proof.figure({ figure: `${name}: requests that reached Notion`, value: arrived, bound: { equals: 0 } });
  const pending = (await rows.listPending()).filter(({ id }) => ids(grants).includes(id)).length;
  proof.figure({ figure: `${name}: left unresolved`, value: pending, bound: { equals: 0 } });
  await letTimePass(rows);
  await network.replicas[0].refreshAll(ids(grants));
  const { good } = await judge(network, grants);
  proof.figure({ figure: `${name}: good afterwards`, value: good, bound: { equals: grants.length } });
}

async function refreshFrom(options: NotionAuthOptions, grants: readonly Grant[]): Promise<string[]> {
  const application = await startApplication(options);
  const refreshes = application.get(NotionRefreshService);
  try {
    const outcomes = grants.map(({ id }) => refreshes.refresh(id, { trigger: 'manual' }));
    return (await Promise.all(outcomes)).map(({ kind }) => kind);
  } finally {
    await application.close();
  }
}

function startUntrusted({ proof }: NetworkStage): Server | null {
  const folder = temporaryFolder(proof.leftovers);
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '1', '-nodes', '-newkey', 'rsa:2048'];
  try {
    execFileSync('openssl', ['req', '-x509', ...subject, '-keyout', keyFile, '-out', certificateFile], {
      stdio: 'ignore',
    });
  } catch {
    return null;
  }
  return createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
