/** What is left of a secret in a line of the log. */
const MASK = '[masked]';

/** Longer than any line of ours; beyond it nothing is worth reading, and patterns must have an end. */
const MAX_LENGTH = 16_384;

/** Names whose value is never shown, however it is written: `name=value`, `"name": "value"`, `?name=value`. */
const SECRET_NAMES = [
  'access_token',
  'refresh_token',
  'id_token',
  'client_secret',
  'verification_token',
  'code_verifier',
  'password',
  'passwd',
  'api_key',
  'set-cookie',
  'cookie',
  'x-notion-signature',
];

const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Notion's tokens and secrets, by how they begin.
  [/\b(?:adm|ntn|nrt|secret)_[\w+/=.~-]{6,}/g, MASK],
  // Credentials of a header, and what base64 they hold.
  [/\b(Bearer|Basic)[\s:=]+[\w+/=.~-]{6,}/gi, `$1 ${MASK}`],
  // Sealed values: nobody can open them without the key, and nobody needs them in a log either.
  [/\bv1\.[\w-]{1,32}\.[\w-]{40,}/g, MASK],
  // Passwords of addresses.
  [/(\b[a-z][a-z0-9+.-]{1,30}:\/\/)[^\s/@"']{1,512}@/gi, `$1${MASK}@`],
  [
    new RegExp(`(["']?\\b(?:${SECRET_NAMES.join('|')})["']?\\s{0,8}[=:]\\s{0,8}["']?)[^\\s"'&,;}]{1,}`, 'gi'),
    `$1${MASK}`,
  ],
  // What a callback brings along.
  [/([?&](?:code|state|token)=)[^\s"'&]{1,}/gi, `$1${MASK}`],
];

/**
 * The last look at a line before it is written. No line is made with a secret in it; this is for the text of a
 * driver, of Notion, or of a mistake that is still to be made.
 */
export function maskedText(text: string): string {
  const shown = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return PATTERNS.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), shown);
}

/** Whether a fact of this name is left out of every line, whatever its value. */
export function isSecretName(name: string): boolean {
  return /token$|secret$|password|cookie|signature|^(?:state|nonce|authorization_code)$/i.test(name);
}
