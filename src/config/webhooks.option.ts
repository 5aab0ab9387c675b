import { Secret } from '../domain/secret.js';
import type { ConfigFindings } from './config-findings.js';
import { isPlaceholder } from './credential.rules.js';
import type { NotionAuthOptions } from './notion-auth.options.js';

/** The one in use and the one that replaces it. */
const MAX_TOKENS = 2;
const SHORTEST = 16;
const LONGEST = 512;
const OPTION = 'webhooks.verificationTokens';

/** The configured verification tokens; what is wrong with them is said without quoting any. */
export function readVerificationTokens(
  options: Partial<NotionAuthOptions>,
  findings: ConfigFindings,
): readonly Secret[] {
  const given: unknown = options.webhooks?.verificationTokens ?? [];
  if (!Array.isArray(given)) {
    findings.problem(OPTION, 'must be a list');
    return [];
  }
  if (given.length > MAX_TOKENS) {
    findings.problem(OPTION, 'has more than two entries: the one in use and the one that replaces it');
    return [];
  }
  const tokens = given.map((entry: unknown) => (entry instanceof Secret ? entry.reveal() : entry));
  const problems = new Set(tokens.flatMap((token) => tokenProblem(token) ?? []));
  for (const problem of problems) findings.problem(OPTION, problem);
  if (tokens.length === 2 && tokens[0] === tokens[1]) findings.problem(OPTION, 'has the same entry twice');
  return problems.size > 0 ? [] : tokens.map((token) => new Secret(token as string));
}

/** What is wrong with a verification token; `null` when nothing is. Also judges what comes to be paired. */
export function tokenProblem(token: unknown): string | null {
  if (typeof token !== 'string') return 'has an entry that is no text';
  if (token.trim() === '') return 'has an empty entry';
  if (token.length < SHORTEST || token.length > LONGEST) {
    return `has an entry that is not ${SHORTEST} to ${LONGEST} characters long`;
  }
  if (!/^[\x21-\x7e]+$/.test(token)) return 'has an entry with whitespace or other characters no token has';
  return isPlaceholder(token) ? 'has a placeholder' : null;
}
