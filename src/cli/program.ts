import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { AUTHORIZATION_STATUSES } from '../domain/authorization.js';
import { DIAGNOSIS_STAGES } from '../diagnosis/diagnosis.js';
import type { diagnosePasted } from './diagnose.command.js';
import type { doctor } from './doctor.command.js';
import type { listAuthorizations } from './authorizations.command.js';
import { Printer, type Output } from './printer.js';
import type { simulate } from './simulate.command.js';

// Each command loads what it needs when it is run: an engine and its drivers take a second that help need not wait for.
const commands = {
  authorizations: () => import('./authorizations.command.js'),
  diagnose: () => import('./diagnose.command.js'),
  doctor: () => import('./doctor.command.js'),
  import: () => import('./import.command.js'),
  keys: () => import('./keys.command.js'),
  migrate: () => import('./migrate.command.js'),
  simulate: () => import('./simulate.command.js'),
};

type DoctorOptions = Parameters<typeof doctor>[1];
type ListOptions = Parameters<typeof listAuthorizations>[1];
type DiagnoseOptions = Parameters<typeof diagnosePasted>[2];
type SimulateOptions = Parameters<typeof simulate>[1];

/** The command line, `npx notion-auth`. It reads the environment that the application reads, and `.env`. */
export function programFor(output: Output): Command {
  const print = new Printer(output);
  const program = new Command('notion-auth')
    .description(
      "Looks after an application's Notion authorizations. Reads the application's environment, and .env.",
    )
    .version(versionOfPackage())
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 something is wrong or could not be done, 2 wrong command line.',
    )
    .exitOverride()
    .showHelpAfterError('(notion-auth --help tells more)');

  program
    .command('doctor')
    .description('checks configuration, keys, database, clock and credentials; touches no authorization')
    .option('--prefix <path>', "prefix of the module's routes, as in the option routes", 'notion')
    .option('--callback-path <path>', 'path of your own callback route, instead of the built-in one')
    .option('--json', 'one JSON object instead of a table')
    .action(async (options: DoctorOptions) => (await commands.doctor()).doctor(print, options));

  program
    .command('list')
    .description('lists authorizations in the order of their ids')
    .addOption(new Option('--status <status>', 'in this status').choices([...AUTHORIZATION_STATUSES]))
    .option('--owner <id>', 'of this owner')
    .option('--workspace <id>', 'of this workspace')
    .option('--bot <id>', 'of this bot')
    .option('--limit <n>', 'at most so many, up to 500', pageSize, 50)
    .option('--after <id>', 'those after the last one of the page before')
    .option('--json', 'one JSON object for each')
    .action(async (options: ListOptions) =>
      (await commands.authorizations()).listAuthorizations(print, options),
    );

  program
    .command('show')
    .description('shows one authorization, its owners, its last attempts, and what its last failure means')
    .argument('<id>')
    .option('--json', 'as one JSON object')
    .action(async (id: string, options: { json?: boolean }) =>
      (await commands.authorizations()).showAuthorization(print, id, options),
    );

  program
    .command('refresh')
    .description('refreshes one authorization now')
    .argument('<id>')
    .action(async (id: string) => (await commands.authorizations()).refreshAuthorization(print, id));

  program
    .command('diagnose')
    .description('says what an error means: paste it, as JSON or text, or pipe it in')
    .addArgument(new Argument('[error]', 'the error; read from standard input when it is not given'))
    .addOption(
      new Option('--stage <stage>', 'where it was met').choices([...DIAGNOSIS_STAGES]).default('api'),
    )
    .option('--json', 'as one JSON object')
    .action(async (error: string | undefined, options: DiagnoseOptions) =>
      (await commands.diagnose()).diagnosePasted(print, error, options),
    );

  const keys = program.command('keys').description('encryption keys');
  keys
    .command('status')
    .description('how many rows each key seals')
    .option('--json', 'as one JSON array')
    .action(async (options: { json?: boolean }) => (await commands.keys()).keysStatus(print, options));
  keys
    .command('rotate')
    .description('seals everything anew with the first key; may be broken off and run again')
    .option('--batch <n>', 'rows of one short transaction', positive, 100)
    .action(async (options: { batch: number }) => (await commands.keys()).rotateKeys(print, options));

  program
    .command('migrate')
    .description('creates or changes the tables of NOTION_AUTH_DATABASE_URL, or of the embedded file')
    .option('--dry-run', 'only lists the migrations that are pending')
    .action(async (options: { dryRun?: boolean }) =>
      (await commands.migrate()).runMigrations(print, options),
    );

  program
    .command('import')
    .description('takes over existing tokens, from JSON lines in a file or on standard input (-)')
    .argument('<file>')
    .option('--dry-run', 'only says what would be done')
    .action(async (file: string, options: { dryRun?: boolean }) =>
      (await commands.import()).importTokens(print, file, options),
    );

  program
    .command('simulate')
    .description('runs a stand-in for Notion until it is interrupted')
    .option('--port <n>', 'port on the loopback; without it, a free one', positive)
    .option('--file <path>', 'keeps grants, tokens and credentials over restarts; it holds them in clear')
    .option('--redirect-uri <uri...>', 'registered redirect URIs; without them, every one is accepted')
    .action(async (options: SimulateOptions) => (await commands.simulate()).simulate(print, options));

  return program;
}

function versionOfPackage(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function pageSize(text: string): number {
  const number = positive(text);
  if (number > 500) throw new InvalidArgumentError('must be at most 500; --after takes the next page.');
  return number;
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('must be a positive whole number.');
  return number;
}
