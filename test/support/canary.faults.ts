import type { Fault } from 'nestjs-notion-auth/testing';

export type NamedFault = readonly [name: string, fault: Fault];

/**
 * Every way in which a token answer can go wrong.
 * @param echo - What a confused server or a proxy may repeat of what it was sent.
 */
export function tokenFaults(echo: string): readonly NamedFault[] {
  return [
    ['dropped before', { kind: 'drop_before' }],
    ['reset before', { kind: 'drop_before', reset: true }],
    ['dropped after', { kind: 'drop_after' }],
    ['reset after', { kind: 'drop_after', reset: true }],
    ['truncated', { kind: 'truncate' }],
    ['cut JSON', { kind: 'cut_json' }],
    ['HTML 403', { kind: 'html', status: 403, body: `<p>${echo}</p>` }],
    ['HTML 200', { kind: 'html', status: 200, processed: true, body: `<p>${echo}</p>` }],
    ['HTML 502', { kind: 'html', status: 502 }],
    ['invalid_grant', { kind: 'status', status: 400, code: 'invalid_grant' }],
    ['invalid_client', { kind: 'status', status: 401, code: 'invalid_client' }],
    ['unauthorized_client', { kind: 'status', status: 400, code: 'unauthorized_client' }],
    ['409', { kind: 'status', status: 409 }],
    ['429', { kind: 'status', status: 429, retryAfter: 60 }],
    ['500', { kind: 'status', status: 500 }],
    ['503', { kind: 'status', status: 503, retryAfter: echo }],
    ['529', { kind: 'status', status: 529 }],
    [
      'echo',
      {
        kind: 'status',
        status: 400,
        body: { error: 'invalid_request', error_description: echo, message: echo },
      },
    ],
    ['echo as code', { kind: 'status', status: 400, body: { error: echo, code: echo } }],
    ['redirect', { kind: 'redirect', status: 307, location: `https://elsewhere.example/?token=${echo}` }],
    ['late', { kind: 'delay', ms: 1_500 }],
    ['slow body', { kind: 'slow_body', ms: 2_000 }],
    ['oversized', { kind: 'oversized_body', bytes: 100_000 }],
    ['wrong length', { kind: 'wrong_content_length' }],
    ['no access_token', { kind: 'missing_field', field: 'access_token' }],
    ['line break in the token', { kind: 'override', fields: { access_token: `${echo}\r\nx: y` } }],
    ['another token_type', { kind: 'override', fields: { token_type: 'mac' } }],
  ];
}

/** Every way in which a call can go wrong. */
export const API_FAULTS: readonly NamedFault[] = [
  ['403', { kind: 'status', status: 403 }],
  ['404', { kind: 'status', status: 404 }],
  ['409', { kind: 'status', status: 409 }],
  ['429', { kind: 'status', status: 429, retryAfter: 1 }],
  ['500', { kind: 'status', status: 500 }],
  ['HTML 403', { kind: 'html', status: 403 }],
  ['dropped', { kind: 'drop_before' }],
  ['reset after', { kind: 'drop_after', reset: true }],
  ['truncated', { kind: 'truncate' }],
  ['late', { kind: 'delay', ms: 5_500 }],
];
