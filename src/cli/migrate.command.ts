import { ConfigFindings } from '../config/config-findings.js';
import { readDatabase } from '../config/database.option.js';
import { openOwnDataSource } from '../storage/own-data-source.js';
import { NotionDatabase } from '../storage/notion-database.js';
import { migrate, pendingMigrations } from '../storage/run-migrations.js';
import type { Printer } from './printer.js';
import { readEnvironment } from './with-application.js';

/** Needs the variables of the database alone, so that a deployment step holds no client secret and no key. */
export async function runMigrations(
  print: Printer,
  { dryRun = false }: { readonly dryRun?: boolean },
): Promise<void> {
  const { databaseUrl, databaseTls, databaseFile, problems } = readEnvironment();
  const findings = new ConfigFindings(
    problems?.filter(({ option }) => /^(?:databaseUrl|databaseTls\.ca|databaseFile)$/.test(option)),
  );
  const location = readDatabase(
    { databaseUrl, databaseTls, databaseFile },
    { production: false, hasDataSource: false },
    findings,
  );
  findings.throwIfAny();
  for (const warning of findings.warnings) print.line(warning);
  const dataSource = await openOwnDataSource(location);
  try {
    const database = new NotionDatabase(dataSource);
    const names = await (dryRun ? pendingMigrations(database) : migrate(database));
    for (const name of names) print.line(`${dryRun ? 'pending' : 'run'}  ${name}`);
    if (names.length === 0) print.line('No migration is pending.');
  } finally {
    await dataSource.destroy();
  }
}
