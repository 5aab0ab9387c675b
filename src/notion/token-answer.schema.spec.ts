import fc from 'fast-check';
import { parseGrant, parseTokens } from './token-answer.schema.js';

const ANSWER = {
  access_token: 'ntn_access',
  token_type: 'bearer',
  refresh_token: 'nrt_refresh',
  bot_id: 'bot',
  workspace_id: 'workspace',
  workspace_name: 'Name',
  workspace_icon: null,
  owner: { type: 'user', user: { object: 'user', id: 'person' } },
  duplicated_template_id: null,
  request_id: 'request',
};

describe('parseTokens', () => {
  it('reads a pair', () => {
    const parsed = parseTokens(ANSWER);
    expect(parsed?.pair.accessToken.reveal()).toBe('ntn_access');
    expect(parsed?.pair.refreshToken?.reveal()).toBe('nrt_refresh');
    expect(parsed?.pair.expiresInMs).toBeNull();
    expect(parsed?.requestId).toBe('request');
  });

  it.each([{ refresh_token: null }, { refresh_token: undefined }])(
    'takes a missing refresh token as none: %j',
    (change) => {
      expect(parseTokens({ ...ANSWER, ...change })?.pair.refreshToken).toBeNull();
    },
  );

  it('honours an announced lifetime', () => {
    expect(parseTokens({ ...ANSWER, expires_in: 3600 })?.pair.expiresInMs).toBe(3_600_000);
  });

  it.each([
    { access_token: undefined },
    { access_token: '' },
    { access_token: 42 },
    { access_token: 'with\r\nnewline' },
    { access_token: 'Ā' },
    { access_token: 'x'.repeat(8_193) },
    { refresh_token: 'with space' },
    { token_type: 'mac' },
    { token_type: undefined },
  ])('does not believe an answer with %j', (change) => {
    expect(parseTokens({ ...ANSWER, ...change })).toBeNull();
  });

  it.each([
    { bot_id: undefined },
    { owner: 'odd' },
    { expires_in: 'soon' },
    { workspace_id: 7 },
    { request_id: 1 },
  ])('does not drop the only copy of a pair for %j', (change) => {
    expect(parseTokens({ ...ANSWER, ...change })?.pair.refreshToken?.reveal()).toBe('nrt_refresh');
  });

  it('never throws, whatever the body', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        parseTokens(body);
        parseGrant(body);
      }),
    );
  });
});

describe('parseGrant', () => {
  it('reads whose grant of what it is', () => {
    expect(parseGrant(ANSWER)).toEqual({
      botId: 'bot',
      workspaceId: 'workspace',
      workspaceName: 'Name',
      workspaceIcon: null,
      ownerKind: 'user',
      ownerUserId: 'person',
      duplicatedTemplateId: null,
    });
  });

  it('reads a legacy workspace grant', () => {
    const grant = parseGrant({ ...ANSWER, owner: { type: 'workspace', workspace: true } });
    expect(grant).toMatchObject({ ownerKind: 'workspace', ownerUserId: null });
  });

  it.each([
    { bot_id: undefined },
    { workspace_id: undefined },
    { bot_id: 'a\u0000' },
    { bot_id: '' },
    { workspace_id: 'w'.repeat(129) },
    { workspace_id: 'a\r\nb' },
  ])('is none with %j', (change) => {
    expect(parseGrant({ ...ANSWER, ...change })).toBeNull();
  });
});
