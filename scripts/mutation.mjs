// The mutation proof: `npm run mutation`, or `npm run mutation -- webhooks 'origin rules'`. Tells every mutant that lived,
// and fails below 85 %. About an hour and a half on two cores that do nothing else: a starved machine runs into timeouts.
import { readFile } from 'node:fs/promises';
import { AREAS } from './mutation.areas.mjs';
import { run } from './run.mjs';

const LEAST = 85;
const DETECTED = new Set(['Killed', 'Timeout']);
const LIVED = new Set(['Survived', 'NoCoverage']);

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(AREAS);
const results = [];
for (const name of names) {
  await run('npx', ['stryker', 'run'], { env: { ...process.env, MUTATION_AREA: name } });
  results.push({ name, mutants: await mutantsOf(name) });
}
for (const { name, mutants } of results) {
  console.log(`\n${scoreOf(mutants)}  ${name}`);
  for (const mutant of mutants.filter(({ status }) => LIVED.has(status)))
    console.log(`  ${described(mutant)}`);
}
const score = scoreOf(results.flatMap(({ mutants }) => mutants));
console.log(`\n${score} of all mutants were detected, at least ${LEAST} % should be`);
process.exitCode = Number.parseFloat(score) >= LEAST ? 0 : 1;

async function mutantsOf(name) {
  const path = `build/stryker/${name.replaceAll(' ', '-')}/report.json`;
  const { files } = JSON.parse(await readFile(path, 'utf8'));
  return Object.entries(files).flatMap(([file, { mutants, source }]) =>
    mutants.map((mutant) => ({ ...mutant, file, line: source.split('\n')[mutant.location.start.line - 1] })),
  );
}

function scoreOf(mutants) {
  const detected = mutants.filter(({ status }) => DETECTED.has(status)).length;
  const lived = mutants.filter(({ status }) => LIVED.has(status)).length;
  return `${((100 * detected) / (detected + lived)).toFixed(1)} % (${detected} of ${detected + lived})`;
}

function described({ file, line, location: { start }, status, mutatorName, replacement = '' }) {
  const to = replacement.replaceAll(/\s+/g, ' ').slice(0, 80);
  return `${file}:${start.line}:${start.column} ${status} ${mutatorName}: ${line.trim()} → ${to}`;
}
