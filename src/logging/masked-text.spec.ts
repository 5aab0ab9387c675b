import { expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { leastTimeOf } from '../../test/support/least-time.js';
import { logLine } from './log-line.js';
import { maskedText } from './masked-text.js';
import { NotionLogger } from './notion.logger.js';

const LIMIT_MS = 250;
const CANARY = 'cAnary0123456789abcdefghij';
const ENVELOPE = `v1.k1.${'A'.repeat(30)}${CANARY}`;

it.each([
  `the token ntn_${CANARY} was refused`,
  `secret_${CANARY}`,
  `an administrator's adm_${CANARY}`,
  `authorization: Bearer ${CANARY}`,
  `Authorization=Basic ${CANARY}==`,
  `{"access_token":"${CANARY}","workspace_name":"x"}`,
  `grant_type=refresh_token&refresh_token=${CANARY}`,
  `client_secret = '${CANARY}'`,
  `set-cookie: __Host-notion-auth=${CANARY}; Path=/`,
  `GET /notion/callback?code=${CANARY}&state=${CANARY}`,
  `postgres://user:${CANARY}@db.example:5432/notion`,
  `x-notion-signature: sha256=${CANARY}`,
  `password=${CANARY}`,
  `sealed as ${ENVELOPE}`,
])('E10: a line keeps nothing of the secret in %j', (line) => {
  expect(maskedText(line)).not.toContain(CANARY);
  expect(maskedText(line)).toContain('[masked]');
});

it.each([
  'refresh dead stage=refresh status=400 code=invalid_grant request=0b3d',
  'connect completed kind=connected authorization=2f6f2a54-0000-4000-8000-000000000001',
  'NOTION_CLIENT_SECRET_NEXT: is a placeholder',
  'Redirect URI to register with Notion: https://app.example/notion/callback',
  'the key k1 is missing (unknown_key_id) and seals 3 stored authorizations or secrets',
])('leaves %j as it is', (line) => {
  expect(maskedText(line)).toBe(line);
});

it('looks at a megabyte of anything without hanging, and keeps only what a line may hold', () => {
  for (const piece of ['a', 'ntn_', 'Bearer ', '://', '"token"', 'v1.k.', ' = ', '&state=']) {
    const megabyte = piece.repeat(2 ** 20 / piece.length);
    expect(maskedText(megabyte).length).toBeLessThan(20_000);
    expect([piece, leastTimeOf(() => maskedText(megabyte), LIMIT_MS) <= LIMIT_MS]).toEqual([piece, true]);
  }
});

it('writes no fact that has the name of a secret, whatever it is', () => {
  for (const name of ['accessToken', 'refresh_token', 'clientSecret', 'password', 'cookie', 'state']) {
    expect(logLine('event', { [name]: CANARY })).toBe('event');
  }
});

it('stands in front of the logger at every level', () => {
  const lines: string[] = [];
  const spies = (['debug', 'log', 'warn', 'error'] as const).map((level) =>
    jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => {
      lines.push(String(line));
    }),
  );
  const logger = new NotionLogger('test');
  for (const level of ['debug', 'log', 'warn', 'error'] as const) {
    logger[level](`a sentence about ntn_${CANARY}`);
    const facts: object = { error: `ntn_${CANARY}`, accessToken: CANARY };
    logger[level]('an event', facts);
  }
  for (const spy of spies) spy.mockRestore();
  expect(lines).toHaveLength(8);
  expect(lines.join('\n')).not.toContain(CANARY);
});

it('keeps lines of one line, whatever the facts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
      expect(logLine('event', { error: text })).toMatch(/^[\x20-\x7e]{1,1024}$/);
    }),
  );
});
