import type { ConfigFindings } from './config-findings.js';
import { isLoopbackHost } from './loopback.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';
import { parseUrl } from './parse-url.js';
import type { UrlPolicy } from './redirect-uri.js';

const NOTION_ORIGIN = 'https://api.notion.com';
const NOTION_VERSION = '2026-03-11';
const MAX_URL_LENGTH = 4_096;

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

/** `null` also for what is no text, far too long, or has blanks around it. */
export function parse(url: unknown): URL | null {
  const isReadable = typeof url === 'string' && url.length <= MAX_URL_LENGTH && url === url.trim();
  return isReadable ? parseUrl(url) : null;
}
