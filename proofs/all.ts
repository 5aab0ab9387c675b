import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { readOptions } from './harness/proof.options.js';

// Every proof, each a program of its own, in turn or some `--at-once`; a seed that was not given is the same for all.
const FOLDER = fileURLToPath(new URL('.', import.meta.url));

interface Result {
  readonly proof: string;
  readonly ok: boolean;
  readonly skipped: number;
  readonly seconds: number;
}

function nameOf(program: string): string {
  return program.replace('.proof.js', '');
}

/** What people read as it happens goes through at once; figures and table come whole, as others may run beside it. */
function run(program: string, given: readonly string[]): Promise<Pick<Result, 'ok' | 'skipped'>> {
  const child = spawn(process.execPath, ['--no-warnings', `${FOLDER}${program}`, ...given], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      process.stdout.write(said);
      resolve({ ok: code === 0, skipped: said.match(/^\{"proof":"[^"]*","skipped":/gm)?.length ?? 0 });
    });
  });
}

async function carryOut(program: string): Promise<Result> {
  const startedMs = performance.now();
  const { ok, skipped } = await run(program, given);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  return { proof: nameOf(program), ok, skipped, seconds };
}

const { size, seed, only, engine, atOnce, sharedMachine } = readOptions();
const given = ['--size', size, '--seed', String(seed)];
if (engine !== null) given.push('--engine', engine);
if (sharedMachine) given.push('--shared-machine');
const programs = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.proof.js'))
  .filter((name) => only.length === 0 || only.includes(nameOf(name)));
const inTurn = pLimit(atOnce);
const results = await Promise.all(programs.map((program) => inTurn(() => carryOut(program))));
for (const { proof, ok, seconds } of results) {
  process.stdout.write(`${ok ? '✓' : '✗'} ${proof.padEnd(12)} ${seconds} s\n`);
}
const failed = results.filter(({ ok }) => !ok).length;
const skipped = results.reduce((sum, result) => sum + result.skipped, 0);
process.stdout.write(
  `\nproofs (${size}): ${results.length - failed} passed, ${failed} failed, ${skipped} skipped\n`,
);
process.exit(failed > 0 ? 1 : 0);
