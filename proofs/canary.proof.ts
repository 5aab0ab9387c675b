import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { CanaryScanner } from '../test/support/canary.scanner.js';
import { CanaryChild } from './canary/canary.child.js';
import { DrivenPaths } from './canary/driven.paths.js';
import { SeenBytes } from './canary/seen.bytes.js';
import { temporaryFolder } from './harness/database.js';
import { prove } from './harness/proof.js';

const ENCODINGS = ['utf8', 'base64', 'base64url', 'hex'] as const;
const REDIRECT_URI = 'https://app.example/notion/callback';

await prove('canary', async (proof) => {
  const scanner = new CanaryScanner();
  const seen = new SeenBytes();
  const key = randomBytes(32);
  scanner.watch('encryption key', key);
  scanner.watch('encryption key', key.toString('base64'));
  const simulator = await NotionSimulator.start({
    redirectUris: [REDIRECT_URI],
    clientSecret: scanner.plant('client secret'),
    tokenFactory: (kind) => scanner.plant(kind === 'code' ? kind : `${kind} token`),
  });
  proof.leftovers.onEnd(() => simulator.close());
  const folder = temporaryFolder(proof.leftovers);
  const options: NotionAuthOptions = {
    clientId: simulator.clientId,
    clientSecret: simulator.clientSecret,
    clientSecretNext: scanner.plant('coming client secret'),
    redirectUris: [REDIRECT_URI],
    apiBaseUrl: simulator.url,
    encryptionKeys: [{ id: 'k1', key: key.toString('base64') }],
    databaseFile: join(folder, 'notion-auth.sqlite'),
    refresh: {
      requestTimeoutMs: 700,
      leaseMs: 3_000,
      leaseMarginMs: 100,
      callerWaitMs: 4_000,
      journalFolder: join(folder, 'journal'),
    },
    connect: { exchangeTimeoutMs: 700 },
    outbound: { callTimeoutMs: 1_500 },
  };
  const rounds = proof.pick({ short: 1, long: 10 });
  for (let round = 0; round < rounds; round++) {
    const child = await CanaryChild.start(options, seen, proof.leftovers);
    const paths = new DrivenPaths({ proof, simulator, scanner, seen, url: child.url });
    await paths.driveAll(round);
    showFiles(folder, seen);
    await child.stop();
    showFiles(folder, seen);
  }
  proof.say('looking for secrets');
  proof.figure({ figure: 'paths driven', value: seen.pathCount, bound: { atLeast: 90 } });
  proof.figure({ figure: 'bytes scanned', value: seen.bytes, unit: 'B', bound: { atLeast: 5_000_000 } });
  proof.figure({ figure: 'kinds of secrets looked for', value: scanner.kinds.length, bound: { atLeast: 9 } });
  const hits = seen.hits(scanner);
  for (const { kind, form, where } of hits) proof.say(`found: ${kind} as ${form} in ${where}`);
  proof.figure({ figure: 'secrets found', value: hits.length, bound: { equals: 0 } });
  const found = ENCODINGS.filter((encoding) => isFound(scanner, encoding)).length;
  proof.figure({
    figure: 'planted on purpose, in four encodings: found',
    value: found,
    bound: { equals: ENCODINGS.length },
  });
});

/** Without this the search would prove nothing. */
function isFound(scanner: CanaryScanner, encoding: (typeof ENCODINGS)[number]): boolean {
  const planted = new SeenBytes();
  const text = Buffer.from(`x${scanner.plant('client secret')}x`).toString(encoding);
  planted.add('planted', text.slice(0, 40));
  planted.add('planted', text.slice(40));
  return planted.hits(scanner).length > 0;
}

/** Every byte on the disk: database, write-ahead log, journal. */
function showFiles(folder: string, seen: SeenBytes): void {
  for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    seen.add(`file ${name.name}`, readFileSync(join(name.parentPath, name.name), 'latin1'));
  }
}
