import type { Verdict } from './config-findings.js';
import { isLoopbackAddress, isLoopbackHost } from './loopback.js';
import { hostProblems, normalForm, portProblems } from './redirect-uri.host.js';
import { parseUrl } from './parse-url.js';

export interface UrlPolicy {
  readonly production: boolean;
  /** The option `allowInsecureUrls`: plain HTTP, and loopback in production, are warnings instead of problems. */
  readonly allowInsecure: boolean;
}

/** A redirect URI taken apart as it is written: nothing decoded, nothing lower-cased. */
interface WrittenUri {
  readonly text: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly url: URL;
}

const MAX_LENGTH = 2_000;

/** What Notion itself appends to the callback (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207). */
const ANSWER_PARAMETERS = ['code', 'state', 'error', 'error_description', 'iss'];

/**
 * Judges one redirect URI as it is written. A normal form is computed to suggest it, never to replace what is
 * configured: Notion holds the other copy and compares the two.
 * @see RFC 6749 section 3.1.2, RFC 9700 section 2.1
 */
export function judgeRedirectUri(uri: string, policy: UrlPolicy): Verdict {
  const unreadable = unreadableProblem(uri);
  if (unreadable !== null) return { problems: [unreadable], warnings: [] };
  const written = dissect(uri);
  const exposure = judgeExposure(written.url, policy);
  const problems = [...formProblems(written), ...exposure.problems];
  return {
    problems: [...problems, ...(problems.length > 0 ? [] : unusualFormProblems(written))],
    warnings: [...queryWarnings(written.text), ...exposure.warnings],
  };
}

/** Judges the configured list: each entry, and what the entries are to each other. Entries go by position. */
export function judgeRedirectUris(uris: readonly string[], policy: UrlPolicy): Verdict {
  if (uris.length === 0) return { problems: ['needs at least one redirect URI'], warnings: [] };
  const verdicts = uris.map((uri) => judgeRedirectUri(uri, policy));
  const collect = (kind: keyof Verdict) =>
    verdicts.flatMap((verdict, index) => verdict[kind].map((rule) => `entry ${index + 1}: ${rule}`));
  return {
    problems: [...collect('problems'), ...pairs(uris, (a, b) => a === b, 'are equal')],
    warnings: [
      ...collect('warnings'),
      ...pairs(uris, isNearMiss, 'differ only in case or in a trailing slash; Notion tells them apart'),
    ],
  };
}

function unreadableProblem(uri: unknown): string | null {
  if (typeof uri !== 'string' || uri === '') return 'is empty or no string';
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (/[\p{C}\p{Z}]/u.test(uri)) return 'contains whitespace or a control character';
  if (/\$\{|<|>/.test(uri)) return 'is a placeholder';
  if (uri.includes('\\')) return 'contains a backslash';
  if (!/^https?:\/\/[^/?#]/i.test(uri)) return 'is not an absolute https URL';
  return parseUrl(uri) === null ? 'is not a valid URL' : null;
}

function dissect(text: string): WrittenUri {
  const [, scheme, authority, path] = /^([^:]+):\/\/([^/?#]*)([^?#]*)/.exec(text)!;
  return { text, scheme: scheme!, authority: authority!, path: path!, url: new URL(text) };
}

function formProblems(written: WrittenUri): string[] {
  // Nothing more is said about a URI with credentials in it: a suggestion would print them.
  if (written.authority.includes('@')) return ['contains a user name or password'];
  const { text, scheme, authority, path, url } = written;
  if (text.includes('*')) return ['contains a wildcard; register and configure each URI'];
  return [
    ...(scheme === scheme.toLowerCase() ? [] : [`its scheme is not lower case; use ${normalForm(url)}`]),
    ...hostProblems(authority, url),
    ...portProblems(authority, url),
    ...pathProblems(text, path, url),
    ...(text.includes('#') ? ['contains a fragment, which never reaches the server'] : []),
    ...ANSWER_PARAMETERS.filter((name) => url.searchParams.has(name)).map(
      (name) => `its query sets ${name}, which Notion adds itself`,
    ),
  ];
}

function pathProblems(text: string, path: string, url: URL): string[] {
  if (path === '')
    return [`has no path; register and configure either ${url.origin}/ or, better, a longer path`];
  const segments = path.slice(1).split('/');
  return [
    ...(segments.some(isDotSegment) ? ['its path contains a dot segment (. or ..)'] : []),
    ...(segments.slice(0, -1).includes('') ? ['its path contains an empty segment (//)'] : []),
    ...(/%(?![0-9a-f]{2})/i.test(text) ? ['contains a percent sign that encodes nothing'] : []),
  ];
}

export function isDotSegment(segment: string): boolean {
  const decoded = segment.replaceAll(/%2e/gi, '.');
  return decoded === '.' || decoded === '..';
}

function judgeExposure(url: URL, policy: UrlPolicy): Verdict {
  const problems: string[] = [];
  const warnings: string[] = [];
  const forbid = (rule: string, fix: string) =>
    policy.allowInsecure ? warnings.push(rule) : problems.push(`${rule}; ${fix}, or set allowInsecureUrls`);
  const loopback = isLoopbackHost(url.hostname);
  if (url.protocol === 'http:' && !loopback) forbid('uses http outside loopback', 'use https');
  if (loopback && policy.production) forbid('points at loopback in production', 'use the public address');
  if (isLoopbackAddress(url.hostname)) {
    warnings.push('Notion is reported to refuse loopback addresses; localhost is accepted');
  }
  return { problems, warnings };
}

function unusualFormProblems({ text, url }: WrittenUri): string[] {
  const normal = normalForm(url);
  return normal === text ? [] : [`is not in normal form; use ${normal}`];
}

function queryWarnings(text: string): string[] {
  return text.includes('?') ? ['its query is part of what Notion compares'] : [];
}

function isNearMiss(a: string, b: string): boolean {
  const fold = (uri: string) => uri.toLowerCase().replace(/\/$/, '');
  return a !== b && fold(a) === fold(b);
}

function pairs(
  uris: readonly string[],
  related: (a: string, b: string) => boolean,
  relation: string,
): string[] {
  return uris.flatMap((uri, index) => {
    const earlier = uris.slice(0, index).findIndex((other) => related(other, uri));
    return earlier < 0 ? [] : [`entries ${earlier + 1} and ${index + 1} ${relation}`];
  });
}
