import { domainToUnicode } from 'node:url';

/** Alphabets with letters that look alike; one host label uses one of them. */
const CONFUSABLE_SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };

/** What is wrong with the host, given the authority as written, without user name, and the URL that was parsed from it. */
export function hostProblems(authority: string, url: URL): string[] {
  const host = authority.replace(/:\d*$/, '');
  if (mixesScripts(domainToUnicode(url.hostname))) return ['its host mixes letters of different scripts'];
  if (/\P{ASCII}/u.test(host)) return [`its host is not ASCII; use ${normalForm(url)}`];
  if (host !== host.toLowerCase()) return [`its host is not lower case; use ${normalForm(url)}`];
  if (host !== url.hostname) return [`its host is not in normal form; use ${normalForm(url)}`];
  if (url.hostname.split('.').includes(''))
    return ['its host has an empty label (two dots, or one at the end)'];
  return [];
}

/** What is wrong with the port as written. */
export function portProblems(authority: string, url: URL): string[] {
  const written = /:(\d*)$/.exec(authority)?.[1];
  if (written === undefined) return [];
  if (written === '') return [`its port is empty; use ${normalForm(url)}`];
  if (Number(written) === 0) return ['its port is 0'];
  if (Number(written) === DEFAULT_PORTS[url.protocol])
    return [`names the default port; use ${normalForm(url)}`];
  return written.startsWith('0') ? [`its port begins with 0; use ${normalForm(url)}`] : [];
}

/**
 * The URL in the normal form of RFC 3986 section 6.2.2: what the URL parser does, plus upper-case percent-encoding
 * and nothing encoded that need not be. For suggestions only.
 */
export function normalForm(url: URL): string {
  return url.href.replaceAll(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

function mixesScripts(host: string): boolean {
  return host
    .split('.')
    .some((label) => CONFUSABLE_SCRIPTS.filter((script) => script.test(label)).length > 1);
}
