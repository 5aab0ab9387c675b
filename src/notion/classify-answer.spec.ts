import { classifyErrorCode, classifyRefusal } from './classify-answer.js';

describe('classifyRefusal', () => {
  it.each([
    [400, 'invalid_grant', 'dead'],
    [401, 'invalid_grant', 'dead'],
    [401, 'invalid_client', 'configuration'],
    [400, 'invalid_client', 'configuration'],
    [400, 'unauthorized_client', 'configuration'],
    [400, 'unsupported_grant_type', 'configuration'],
    [400, 'invalid_request', 'not_processed'],
    [400, 'missing_version', 'not_processed'],
    [401, undefined, 'not_processed'],
    [403, undefined, 'not_processed'],
    [404, undefined, 'not_processed'],
    [409, 'conflict_error', 'not_processed'],
    [429, 'rate_limited', 'not_processed'],
    [529, 'service_overload', 'not_processed'],
    [500, 'internal_server_error', 'unknown'],
    [502, undefined, 'unknown'],
    [503, 'service_unavailable', 'unknown'],
    [504, undefined, 'unknown'],
    [302, undefined, 'unknown'],
    [307, undefined, 'unknown'],
  ] as const)('takes %i %s as %s', (status, code, expected) => {
    expect(classifyRefusal(status, code)).toBe(expected);
  });

  it('never declares a grant dead by the status of a server error, whatever code its body carries', () => {
    expect(classifyRefusal(500, 'invalid_grant')).toBe('unknown');
    expect(classifyRefusal(503, 'invalid_client')).toBe('unknown');
  });
});

describe('classifyErrorCode', () => {
  it.each([
    ['invalid_grant', 'dead'],
    ['invalid_client', 'configuration'],
    ['unauthorized_client', 'configuration'],
    ['invalid_request', 'not_processed'],
    ['invalid_scope', 'not_processed'],
    ['server_error', 'unknown'],
    ['anything_else', 'unknown'],
    [undefined, 'unknown'],
  ] as const)('takes %s beside a success status as %s', (code, expected) => {
    expect(classifyErrorCode(code)).toBe(expected);
  });
});
