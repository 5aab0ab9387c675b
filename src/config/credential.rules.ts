import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import type { NotionAuthConfig, GatheredOptions } from './notion-auth.options.js';

/** Longer than any credential; what is judged by patterns must have an end. */
const MAX_LENGTH = 1_024;

/** As they read without their punctuation. */
const PLACEHOLDER_WORDS = new Set([
  'changeme',
  'replaceme',
  'fixme',
  'secret',
  'secret123',
  'supersecret',
  'clientsecret',
  'clientid',
  'notionsecret',
  'notionclientid',
  'notionclientsecret',
  'mysecret',
  'myclientsecret',
  'password',
  'placeholder',
  'redacted',
  'example',
  'sample',
  'dummy',
  'test',
  'foo',
  'bar',
  'foobar',
  'abc123',
  'todo',
  'tbd',
  'na',
  'none',
  'null',
  'undefined',
]);

/** What templates, shells and secret managers replace, when they do, and what forms ask for. */
const PLACEHOLDER_SHAPES = [
  /^<.*>$/,
  /^\[.*\]$/,
  /\$\{/,
  /#\{/,
  /\{\{/,
  /<%/,
  /^\$[A-Z_][A-Z0-9_]*$/i,
  /^%\w+%$/,
  /^process\.env\./,
  /^(vault|op|env|file|ref):/i,
  /^your[-_ ]/i,
  /^(enter|insert|paste|put|add)[-_ ](your|the|a|client|secret)[-_ ]/i,
  /[-_ ]here$/i,
];

/** Notion's own beginnings, with which templates like to begin too. */
const NOTION_PREFIX = /^(secret|ntn)_/;

const COUNTED = ['0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz'];

/** True for what documentation and templates put where a credential belongs. */
export function isPlaceholder(value: string): boolean {
  const text = value.trim();
  const word = text
    .replace(NOTION_PREFIX, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  // Nothing but punctuation, one letter over and over, or the alphabet.
  const saysNothing =
    new Set(word).size <= 1 || (word.length > 2 && COUNTED.some((row) => row.startsWith(word)));
  return saysNothing || PLACEHOLDER_WORDS.has(word) || PLACEHOLDER_SHAPES.some((shape) => shape.test(text));
}

/** What is wrong with a client id or client secret; `null` when nothing is. Never quotes it. */
export function credentialProblem(value: unknown): string | null {
  if (value === undefined || value === null) return 'is missing';
  if (typeof value !== 'string') return 'must be a string';
  if (value.trim() === '') return 'is empty';
  if (value.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (isPlaceholder(value)) return 'is a placeholder';
  if (value !== value.trim()) return 'begins or ends with whitespace';
  if (/\p{Cc}/u.test(value)) return 'contains a control character';
  return null;
}

/** Client id and secrets, checked one by one and against each other. */
export function readCredentials(
  options: Partial<GatheredOptions>,
  findings: ConfigFindings,
): Pick<NotionAuthConfig, 'clientId' | 'clientSecret' | 'clientSecretNext'> {
  const id = options.clientId;
  const secret = plainText(options.clientSecret);
  const next = plainText(options.clientSecretNext);
  const report = (option: string, rule: string | null) => {
    if (rule !== null) findings.problem(option, rule);
  };
  report('clientId', credentialProblem(id) ?? colonProblem(id ?? ''));
  report('clientSecret', credentialProblem(secret) ?? (secret === id ? 'equals the client id' : null));
  if (next !== undefined) {
    report('clientSecretNext', credentialProblem(next) ?? (next === id ? 'equals the client id' : null));
    if (next === secret) findings.warning('clientSecretNext', 'equals clientSecret and has no use');
  }
  return {
    clientId: id ?? '',
    clientSecret: new Secret(secret ?? ''),
    clientSecretNext: next === undefined ? null : new Secret(next),
  };
}

/** HTTP Basic authentication ends the user name at the first colon (RFC 7617 section 2). */
function colonProblem(clientId: string): string | null {
  return clientId.includes(':') ? 'must not contain a colon' : null;
}

function plainText(value: string | Secret | undefined): string | undefined {
  return value instanceof Secret ? value.reveal() : value;
}
