import { existsSync, readFileSync } from 'node:fs';
import { createOwnDataSource, ownDataSourceOptions, Secret } from 'nestjs-notion-auth';

if (existsSync('.env')) process.loadEnvFile('.env');

/** For the TypeORM command line: `npm run migration:run`, `npm run migration:revert`. */
export default await createOwnDataSource(
  ownDataSourceOptions({
    databaseUrl: databaseUrl(),
    databaseFile: './data/notion-auth.sqlite',
  }),
);

function databaseUrl(): Secret | null {
  const { NOTION_AUTH_DATABASE_URL: url, NOTION_AUTH_DATABASE_URL_FILE: file } = process.env;
  if (url) return new Secret(url);
  return file ? new Secret(readFileSync(file, 'utf8').trim()) : null;
}
