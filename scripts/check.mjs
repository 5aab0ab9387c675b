// Everything that must hold before a change lands, after `npm ci`: `npm run check`. Ends at the first failure; the
// last line counts the tests and the checks that passed, failed and were skipped.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createConnection } from 'mysql2/promise';
import { run } from './run.mjs';

const JEST_REPORT = 'artifacts/jest.json';
const LOCAL_MARIADB = {
  host: '127.0.0.1',
  port: 3306,
  user: 'root',
  database: 'mysql',
  connectTimeout: 2_000,
};

const COUNTS = /^(\d+) passed, 0 failed, (\d+) skipped$/m;

const npm = (...args) => run('npm', ['run', '--silent', ...args]);
const node = (script, ...args) => run(process.execPath, [script, ...args]);

/**
 * What is checked, in this order; what stands in lanes goes on side by side, as none of it needs more than one
 * processor. From the package on, each may build again what the next one runs. Each returns how much passed and was
 * skipped; nothing, when it is one check that passed.
 */
const STAGES = [
  [
    { 'lint, npm run lint': () => npm('lint') },
    {
      'format, npm run format:check': () => npm('format:check'),
      'types, npm run typecheck': () => npm('typecheck'),
      'unused code, npm run unused': () => npm('unused'),
    },
  ],
  [{ 'tests, npm test': runTests }],
  [
    {
      'packed package, npm run check:package': () => npm('check:package'),
      'migrations up and down': () => node('build/test/support/migrations.process.js'),
      'quickstart in a browser': () => countedBy('build/test/support/quickstart-browser.process.js', COUNTS),
      'Prometheus over the quickstart': () => countedBy('build/test/support/prometheus.process.js', COUNTS),
      // Bounds of speed are told only: they want a machine that does nothing else, and `npm run proof`. The seed is fixed,
      // so that a change fails here by what it changes; `npm run proof` draws a new one each time.
      'proofs, short size': () =>
        countedBy(
          'build/proofs/all.js',
          /^proofs \(short\): (\d+) passed, 0 failed, (\d+) skipped$/m,
          '--shared-machine',
          '--at-once=3',
          '--seed=101',
        ),
    },
  ],
];

const begunAt = Date.now();
const count = { passed: 0, failed: 0, skipped: 0 };
await mkdir('artifacts', { recursive: true });
for (const lanes of STAGES) await Promise.all(lanes.map(inTurn));
console.log(`\nall of it took ${secondsSince(begunAt)} s`);
console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exitCode = count.failed === 0 ? 0 : 1;

async function inTurn(checks) {
  for (const [name, check] of Object.entries(checks)) {
    if (count.failed === 0) await carryOut(name, check);
  }
}

async function carryOut(name, check) {
  console.log(`\n== ${name}`);
  const sinceMs = Date.now();
  let verdict = 'ok';
  try {
    add(await check());
  } catch (error) {
    console.log(error.message);
    add({ passed: 0, failed: 1, ...error.counts });
    verdict = 'FAILED';
  }
  console.log(`== ${name}: ${verdict} after ${secondsSince(sinceMs)} s`);
}

/** What a command printed, as `run` returns it, counts nothing: the command is one check. */
function add(counts) {
  const { passed = 1, failed = 0, skipped = 0 } = typeof counts === 'object' ? counts : {};
  count.passed += passed;
  count.failed += failed;
  count.skipped += skipped;
}

function secondsSince(ms) {
  return ((Date.now() - ms) / 1_000).toFixed(1);
}

/** The tests as the README has them, and Jest's own numbers. */
async function runTests() {
  await rm(JEST_REPORT, { force: true });
  const env = { ...process.env };
  const mariaDb = await localMariaDb();
  if (mariaDb !== null) env.NOTION_AUTH_TEST_MARIADB_URL ??= mariaDb;
  const jest = ['test', '--', '--json', `--outputFile=${JEST_REPORT}`];
  const failure = await run('npm', jest, { env }).catch((error) => error);
  const report = await readFile(JEST_REPORT, 'utf8').then(JSON.parse, () => null);
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const failed = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  if (failure instanceof Error || passed === 0) {
    const counts = { passed, skipped, failed: Math.max(1, failed) };
    throw Object.assign(new Error('The tests failed.'), { counts });
  }
  return { passed, skipped };
}

/** A server of this machine that lets everybody in, as Debian's container images have it; otherwise those tests skip. */
async function localMariaDb() {
  try {
    await (await createConnection(LOCAL_MARIADB)).end();
    return 'mariadb://root@127.0.0.1:3306/mysql';
  } catch {
    return null;
  }
}

/** A program that counts for itself, and says so in its last line. */
async function countedBy(script, verdict, ...args) {
  const [, passed, skipped] = verdict.exec(await node(script, ...args)) ?? [];
  if (passed === undefined) throw new Error(`${script} did not say how much of it passed.`);
  return { passed: Number(passed), skipped: Number(skipped) };
}
