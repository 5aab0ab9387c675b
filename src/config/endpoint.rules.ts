import type { ConfigFindings } from './config-findings.js';
import { isLoopbackHost } from './loopback.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';
import { parseUrl } from './parse-url.js';

const NOTION_ORIGIN = 'https://api.notion.com';
const NOTION_VERSION = '2026-03-11';
const MAX_URL_LENGTH = 4_096;

/** Where Notion is. */
export function readUpstream(
  options: Partial<NotionAuthOptions>,
  production: boolean,
  findings: ConfigFindings,
): Pick<NotionAuthConfig, 'apiBaseUrl' | 'notionVersion'> {
  const url = parse(options.apiBaseUrl ?? NOTION_ORIGIN);
  for (const rule of originProblems(url)) findings.problem('apiBaseUrl', rule);
  if (production && url?.protocol === 'http:') findings.warning('apiBaseUrl', 'uses http in production');
  const notionVersion: unknown = options.notionVersion ?? NOTION_VERSION;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(String(notionVersion))) {
    findings.problem('notionVersion', `must be a date, such as ${NOTION_VERSION}`);
  }
  return { apiBaseUrl: url?.origin ?? NOTION_ORIGIN, notionVersion: String(notionVersion) };
}

function originProblems(url: URL | null): string[] {
  if (url === null) return ['is not a valid URL'];
  const isPlainOrigin = url.pathname === '/' && url.search === '' && url.hash === '';
  const isTrusted = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
  return [
    ...(isTrusted ? [] : ['must use https (http only on loopback)']),
    ...(url.username === '' && url.password === '' ? [] : ['must not contain a user name or password']),
    ...(isPlainOrigin ? [] : ['must be an origin, without path, query or fragment']),
  ];
}

/** `null` also for what is no text, far too long, or has blanks around it. */
export function parse(url: unknown): URL | null {
  const isReadable = typeof url === 'string' && url.length <= MAX_URL_LENGTH && url === url.trim();
  return isReadable ? parseUrl(url) : null;
}
