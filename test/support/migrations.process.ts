/**
 * Migrations as an operator types them, up, down and up again: `npm run build && npm run build:tools`, then
 * `node build/test/support/migrations.process.js`. On PostgreSQL by the npm scripts, each once; on SQLite by the same TypeORM
 * command in a folder of its own, because the npm scripts would take the developer's `./data`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { notionAuthEntities, notionAuthMigrations } from '../../src/index.js';
import startPostgres from './postgres.global-setup.js';
import stopPostgres from './postgres.global-teardown.js';

const ORM_CONFIG = resolve('build/ormconfig.js');
const TYPEORM = resolve('node_modules/typeorm/cli.js');

type Migrate = (direction: 'run' | 'revert') => void;

await startPostgres();
try {
  const url = process.env['NOTION_AUTH_TEST_POSTGRES_URL'];
  const untried = new Set(['run', 'revert']);
  await upDownUp('PostgreSQL', { type: 'postgres', url }, (direction) => {
    // The scripts build first, so each is typed once.
    const [program, ...words] = untried.delete(direction)
      ? ['npm', 'run', '--silent', `migration:${direction}`]
      : [process.execPath, TYPEORM, `migration:${direction}`, '-d', ORM_CONFIG];
    execFileSync(program, words, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NOTION_AUTH_DATABASE_URL: url },
    });
  });
} finally {
  await stopPostgres();
}

const folder = await mkdtemp(join(tmpdir(), 'notion-auth-migrations-'));
try {
  const database = join(folder, 'data/notion-auth.sqlite');
  await upDownUp('SQLite', { type: 'sqlite', database }, (direction) => {
    execFileSync(process.execPath, [TYPEORM, `migration:${direction}`, '-d', ORM_CONFIG], {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: folder,
      env: { PATH: process.env['PATH'] },
    });
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function upDownUp(name: string, options: DataSourceOptions, migrate: Migrate): Promise<void> {
  migrate('run');
  const all = await tables(options);
  assert.equal(
    all.length,
    notionAuthEntities.length,
    `${name}: tables after migration:run: ${all.join(', ')}`,
  );
  for (const migration of notionAuthMigrations(options.type).reverse()) {
    const before = await tables(options);
    migrate('revert');
    const after = await tables(options);
    assert.ok(after.length < before.length, `${name}: tables after the revert of ${migration.name}`);
  }
  assert.deepEqual(await tables(options), [], `${name}: tables after every migration:revert`);
  migrate('run');
  assert.deepEqual(await tables(options), all, `${name}: tables after a second migration:run`);
  console.log(`${name}: up, down and up again`);
}

/** The library's tables that are there. */
async function tables(options: DataSourceOptions): Promise<string[]> {
  const dataSource = await new DataSource({ ...options, entities: [...notionAuthEntities] }).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    const found: string[] = [];
    for (const { tableName } of dataSource.entityMetadatas) {
      if (await runner.hasTable(tableName)) found.push(tableName);
    }
    return found.sort();
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}
