import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import { readFlag } from './flag.option.js';
import { isLoopbackHost } from './loopback.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';
import { parseUrl } from './parse-url.js';
import type { UrlPolicy } from './redirect-uri.js';

const NOTION_ORIGIN = 'https://api.notion.com';
const NOTION_VERSION = '2026-03-11';
const DATABASE_PROTOCOLS = ['postgres:', 'postgresql:', 'mysql:', 'mariadb:'];
const MAX_URL_LENGTH = 4_096;
export const DATABASE_FILE = './data/notion-auth.sqlite';

/** Where Notion is. */
export function readUpstream(
  options: Partial<NotionAuthOptions>,
  policy: UrlPolicy,
  findings: ConfigFindings,
): Pick<NotionAuthConfig, 'apiBaseUrl' | 'issuer' | 'notionVersion'> {
  const url = parse(options.apiBaseUrl ?? NOTION_ORIGIN);
  for (const rule of originProblems(url)) findings.problem('apiBaseUrl', rule);
  if (policy.production && url !== null && isLoopbackHost(url.hostname)) {
    const rule = 'points at loopback in production';
    if (policy.allowInsecure) findings.warning('apiBaseUrl', rule);
    else
      findings.problem('apiBaseUrl', `${rule}; remove it to use ${NOTION_ORIGIN}, or set allowInsecureUrls`);
  }
  const apiBaseUrl = url?.origin ?? NOTION_ORIGIN;
  const { issuer = apiBaseUrl } = options;
  if (issuer !== apiBaseUrl)
    for (const rule of issuerProblems(parse(issuer))) findings.problem('issuer', rule);
  const notionVersion: unknown = options.notionVersion ?? NOTION_VERSION;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(String(notionVersion))) {
    findings.problem('notionVersion', `must be a date, such as ${NOTION_VERSION}`);
  }
  return { apiBaseUrl, issuer, notionVersion: String(notionVersion) };
}

/** Where authorizations are kept, unless the application brings its own DataSource. */
export function readDatabase(
  options: Partial<NotionAuthOptions>,
  findings: ConfigFindings,
): Pick<NotionAuthConfig, 'databaseUrl' | 'databaseFile' | 'runMigrations'> {
  const { databaseUrl, databaseFile } = options;
  const url = databaseUrl instanceof Secret ? databaseUrl.reveal() : (databaseUrl ?? null);
  if (url !== null && !DATABASE_PROTOCOLS.includes(parse(url)?.protocol ?? '')) {
    findings.problem('databaseUrl', `must be a URL that begins with ${DATABASE_PROTOCOLS.join(', ')}`);
  }
  if (databaseFile !== undefined && (typeof databaseFile !== 'string' || databaseFile.trim() === '')) {
    findings.problem('databaseFile', 'must be a file name');
  }
  if (url !== null && databaseFile !== undefined) {
    findings.warning('databaseFile', 'is not used, because databaseUrl is set');
  }
  return {
    databaseUrl: url === null ? null : new Secret(url),
    databaseFile: databaseFile ?? DATABASE_FILE,
    runMigrations: readFlag('runMigrations', options.runMigrations, findings) ?? null,
  };
}

function originProblems(url: URL | null): string[] {
  const isPlainOrigin = url === null || (url.pathname === '/' && url.search === '' && url.hash === '');
  return [
    ...serverProblems(url),
    ...(isPlainOrigin ? [] : ['must be an origin, without path, query or fragment']),
  ];
}

/** RFC 8414 section 2. */
function issuerProblems(url: URL | null): string[] {
  const hasExtra = url !== null && /[?#]/.test(url.href);
  return [...serverProblems(url), ...(hasExtra ? ['must not have a query or fragment'] : [])];
}

function serverProblems(url: URL | null): string[] {
  if (url === null) return ['is not a valid URL'];
  const isTrusted = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
  return [
    ...(isTrusted ? [] : ['must use https (http only on loopback)']),
    ...(url.username === '' && url.password === '' ? [] : ['must not contain a user name or password']),
  ];
}

function parse(url: unknown): URL | null {
  const isReadable = typeof url === 'string' && url.length <= MAX_URL_LENGTH && url === url.trim();
  return isReadable ? parseUrl(url) : null;
}
