import type { NotionConfigError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { ConfigFindings } from './config-findings.js';
import { readVerificationTokens, tokenProblem } from './webhooks.option.js';

const ONE = 'secret_tMrlL1qK5vuQAh1b';
const OTHER = 'secret_8XzWb0CnT4yPq7Rf';
const LABEL = 'webhooks.verificationTokens (NOTION_WEBHOOK_VERIFICATION_TOKENS)';

function read(verificationTokens: unknown): { tokens: readonly string[]; problems: readonly string[] } {
  const findings = new ConfigFindings();
  const tokens = readVerificationTokens({ webhooks: { verificationTokens } } as never, findings).map(
    (token) => token.reveal(),
  );
  try {
    findings.throwIfAny();
  } catch (error) {
    return { tokens, problems: (error as NotionConfigError).problems };
  }
  return { tokens, problems: [] };
}

describe('the verification tokens of webhooks', () => {
  it('are one or two, as texts or secrets, in their order, and may be missing', () => {
    expect(read([ONE])).toEqual({ tokens: [ONE], problems: [] });
    expect(read([new Secret(OTHER), ONE])).toEqual({ tokens: [OTHER, ONE], problems: [] });
    expect(read([])).toEqual({ tokens: [], problems: [] });
    const findings = new ConfigFindings();
    expect(readVerificationTokens({}, findings)).toEqual([]);
    findings.throwIfAny();
  });

  it.each<[string, unknown, string]>([
    ['no list', ONE, 'must be a list'],
    ['three', [ONE, OTHER, ONE], 'has more than two entries: the one in use and the one that replaces it'],
    ['a number', [ONE, 7], 'has an entry that is no text'],
    ['an empty one', [' \t', ONE], 'has an empty entry'],
    ['a short one', ['x'.repeat(7) + '12345678'], 'has an entry that is not 16 to 512 characters long'],
    ['a long one', ['ab'.repeat(256) + 'c'], 'has an entry that is not 16 to 512 characters long'],
    ['a space', [`${ONE} `], 'has an entry with whitespace or other characters no token has'],
    ['a line break before it', [`\n${ONE}`], 'has an entry with whitespace or other characters no token has'],
    [
      'a letter no token has',
      ['sécret_tMrlL1qK5vu'],
      'has an entry with whitespace or other characters no token has',
    ],
    ['a placeholder', ['xxxxxxxxxxxxxxxxxxxx'], 'has a placeholder'],
  ])('are refused with %s, in words that quote none of it', (_, given, rule) => {
    expect(read(given)).toEqual({ tokens: [], problems: [`${LABEL}: ${rule}`] });
  });

  it('are not the same twice, and what is wrong with both is said once', () => {
    expect(read([ONE, ONE]).problems).toEqual([`${LABEL}: has the same entry twice`]);
    expect(read([1, 2]).problems).toEqual([`${LABEL}: has an entry that is no text`]);
  });

  it('are 16 to 512 characters long', () => {
    const ofLength = (length: number) => 'tMrlL1qK5vuQAh1b'.repeat(40).slice(0, length);
    expect([15, 16, 512, 513].map((length) => tokenProblem(ofLength(length)) === null)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
