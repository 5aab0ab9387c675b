import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';

const PLACEHOLDER_WORDS = new Set([
  'changeme',
  'replaceme',
  'secret',
  'clientsecret',
  'clientid',
  'notionclientid',
  'notionclientsecret',
  'mysecret',
  'password',
  'placeholder',
  'example',
  'dummy',
  'test',
  'todo',
  'tbd',
  'none',
  'null',
  'undefined',
]);

const PLACEHOLDER_SHAPES = [
  /^x+$/i,
  /^\*+$/,
  /^\.+$/,
  /^<.*>$/,
  /^\[.*\]$/,
  /\$\{[^}]*\}/,
  /\{\{.*\}\}/,
  /^your[-_ ]/i,
];

/** True for what documentation and templates put where a credential belongs. */
export function isPlaceholder(value: string): boolean {
  const word = value
    .trim()
    .replaceAll(/[-_ .]/g, '')
    .toLowerCase();
  return PLACEHOLDER_WORDS.has(word) || PLACEHOLDER_SHAPES.some((shape) => shape.test(value.trim()));
}

/** What is wrong with a client id or client secret; `null` when nothing is. Never quotes it. */
export function credentialProblem(value: unknown): string | null {
  if (value === undefined || value === null) return 'is missing';
  if (typeof value !== 'string') return 'must be a string';
  if (value.trim() === '') return 'is empty';
  if (isPlaceholder(value)) return 'is a placeholder';
  if (value !== value.trim()) return 'begins or ends with whitespace';
  if (/\p{Cc}/u.test(value)) return 'contains a control character';
  return null;
}

/** Client id and secrets, checked one by one and against each other. */
export function readCredentials(
  options: Partial<NotionAuthOptions>,
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
