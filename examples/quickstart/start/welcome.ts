import type { NotionStandIn } from '../notion-stand-in.js';
import { isGiven, type Environment } from './environment.js';
import type { QuickstartAddress } from './quickstart.address.js';

/** As the library keeps it where no keys are configured. */
const DEVELOPMENT_KEY =
  './data/notion-auth.sqlite.key, for development; without it the stored tokens are lost';

/** What a newcomer wants to know once the page is up; no secret is among it. */
export function welcome(
  environment: Environment,
  address: QuickstartAddress,
  standIn: NotionStandIn,
): string {
  const lines = [
    ['Open', address.url],
    ...(address.takenPort === null
      ? []
      : [['', `(port ${address.takenPort} is taken, so this one was chosen)`]]),
    ['Notion', notionInWords(environment, standIn)],
    ...(standIn.isPresent
      ? []
      : [['Register', `${environment['NOTION_REDIRECT_URIS'] ?? ''} as redirect URI with Notion`]]),
    ['Data', dataInWords(environment)],
    ...(isGiven(environment, 'NOTION_AUTH_ENCRYPTION_KEYS') ? [] : [['Key', DEVELOPMENT_KEY]]),
    ['Stop', 'Ctrl+C'],
  ] as const;
  return `\n${lines.map(([label, text]) => `  ${label.padEnd(9)} ${text}`).join('\n')}\n`;
}

function notionInWords(environment: Environment, standIn: NotionStandIn): string {
  const url = environment['NOTION_API_BASE_URL'] || 'https://api.notion.com';
  return standIn.isPresent
    ? `a simulator at ${url}; put real credentials into .env to use Notion itself`
    : url;
}

function dataInWords(environment: Environment): string {
  return isGiven(environment, 'NOTION_AUTH_DATABASE_URL')
    ? 'in the database of NOTION_AUTH_DATABASE_URL'
    : './data/notion-auth.sqlite';
}
