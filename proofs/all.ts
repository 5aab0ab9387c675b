import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readOptions } from './harness/proof.options.js';

// Every proof in turn, each a program of its own; a seed that was not given is the same for all.
const FOLDER = fileURLToPath(new URL('.', import.meta.url));

function nameOf(program: string): string {
  return program.replace('.proof.js', '');
}

function run(program: string, given: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['--no-warnings', `${FOLDER}${program}`, ...given], {
    stdio: 'inherit',
  });
  return new Promise((resolve) => {
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

const { size, only } = readOptions();
const given = process.argv.slice(2).filter((word) => !word.startsWith('--only'));
if (!given.some((word) => word.startsWith('--seed'))) given.push('--seed', String(randomInt(2 ** 31)));
const results: { readonly proof: string; readonly ok: boolean; readonly seconds: number }[] = [];
const programs = readdirSync(FOLDER).filter((name) => name.endsWith('.proof.js'));
for (const program of programs.filter((name) => only.length === 0 || only.includes(nameOf(name)))) {
  const startedMs = performance.now();
  const ok = (await run(program, given)) === 0;
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  results.push({ proof: nameOf(program), ok, seconds });
}
for (const { proof, ok, seconds } of results) {
  process.stdout.write(`${ok ? '✓' : '✗'} ${proof.padEnd(12)} ${seconds} s\n`);
}
const failed = results.filter(({ ok }) => !ok).length;
process.stdout.write(`\nproofs (${size}): ${results.length - failed} passed, ${failed} failed\n`);
process.exit(failed > 0 ? 1 : 0);
