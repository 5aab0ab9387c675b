import { APIResponseError, Client, LogLevel, UnknownHTTPResponseError } from '@notionhq/client';
import fc from 'fast-check';
import {
  NotionKeyError,
  NotionReconnectRequiredError,
  NotionRefreshFailedError,
  NotionStoreUnavailableError,
} from '../domain/errors.js';
import { diagnose } from './diagnose.js';
import { DIAGNOSIS_STAGES, type DiagnosisStage } from './diagnosis.js';

const REQUEST_ID = '17359c46-43bd-45d2-a6a3-73d02ec2c2a2';
const EDGE_PAGE = '<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>';
const SECRETS = ['ntn_access0123456789', 'nrt_refresh0123456789', 'secret_client0123456789', '03-code-9f2c'];

describe('diagnose', () => {
  it.each<[string, unknown, DiagnosisStage, string, string]>([
    [
      'a dead refresh token',
      { status: 400, body: '{"error":"invalid_grant"}' },
      'refresh',
      'grant',
      'invalid_grant',
    ],
    [
      'the API shape of it',
      { status: 400, body: { code: 'invalid_grant' } },
      'refresh',
      'grant',
      'invalid_grant',
    ],
    [
      'a used code',
      { status: 400, body: '{"error":"invalid_grant"}' },
      'exchange',
      'connect',
      'invalid_code',
    ],
    [
      'a wrong secret',
      { status: 401, body: '{"error":"invalid_client"}' },
      'refresh',
      'configuration',
      'invalid_client',
    ],
    [
      'a wrong redirect URI',
      { status: 400, body: { error: 'invalid_request' } },
      'exchange',
      'configuration',
      'redirect_uri_mismatch',
    ],
    ['a dead access token', { status: 401, body: { code: 'unauthorized' } }, 'api', 'token', 'unauthorized'],
    [
      'the same at the token endpoint',
      { status: 401, body: { code: 'unauthorized' } },
      'refresh',
      'configuration',
      'invalid_client',
    ],
    [
      'a missing capability',
      { status: 403, body: { code: 'restricted_resource' } },
      'api',
      'permission',
      'restricted_resource',
    ],
    [
      'a page not shared',
      { status: 404, body: { code: 'object_not_found' } },
      'api',
      'permission',
      'object_not_found',
    ],
    ['a rate limit', { status: 429, body: { code: 'rate_limited' } }, 'api', 'limit', 'rate_limited'],
    ['a rate limit without a body', { status: 429 }, 'refresh', 'limit', 'rate_limited'],
    [
      'a block',
      {
        status: 429,
        body: { code: 'rate_limited', additional_data: { rate_limit_reason: 'public_api_request_blocked' } },
      },
      'api',
      'limit',
      'request_blocked',
    ],
    ['an overload', { status: 529 }, 'refresh', 'limit', 'rate_limited'],
    ['no version', { status: 400, body: { code: 'missing_version' } }, 'api', 'request', 'invalid_request'],
    ['a bad body', { status: 400, body: { code: 'validation_error' } }, 'api', 'request', 'invalid_request'],
    ['a conflict', { status: 409, body: { code: 'conflict_error' } }, 'api', 'request', 'conflict_error'],
    [
      'a failure',
      { status: 500, body: { code: 'internal_server_error' } },
      'refresh',
      'upstream',
      'upstream',
    ],
    ['a page of a gateway', { status: 502, body: '<html>' }, 'refresh', 'upstream', 'upstream'],
    ['the edge', { status: 403, body: EDGE_PAGE }, 'api', 'network', 'edge_blocked'],
    [
      'the edge at the token endpoint',
      { status: 403, body: EDGE_PAGE },
      'refresh',
      'network',
      'edge_blocked',
    ],
    ['a pasted page alone', EDGE_PAGE, 'api', 'network', 'edge_blocked'],
    [
      'no name server',
      Object.assign(new Error('x'), { code: 'ENOTFOUND' }),
      'refresh',
      'network',
      'unreachable',
    ],
    [
      'what fetch throws',
      new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }),
      'api',
      'network',
      'unreachable',
    ],
    ['a broken connection', { code: 'ECONNRESET' }, 'refresh', 'network', 'lost_answer'],
    ['a timeout', { code: 'timeout' }, 'refresh', 'network', 'lost_answer'],
    [
      'a strange certificate',
      { code: 'SELF_SIGNED_CERT_IN_CHAIN' },
      'api',
      'network',
      'untrusted_certificate',
    ],
    ['a 401 page', { status: 401, body: '<html>' }, 'api', 'unknown', 'unexplained_answer'],
    [
      'a 401 without a body at the token endpoint',
      { status: 401 },
      'refresh',
      'unknown',
      'unexplained_answer',
    ],
    ['a refused delivery', { status: 401 }, 'webhook', 'configuration', 'notion_webhook_refused'],
    [
      'a Cancel',
      'https://app.example/notion/callback?error=access_denied&state=',
      'exchange',
      'connect',
      'access_denied',
    ],
    [
      'an axios error',
      { response: { status: 404, data: { code: 'object_not_found' } } },
      'api',
      'permission',
      'object_not_found',
    ],
    [
      'our own error',
      new NotionReconnectRequiredError('a', 'lost_rotation'),
      'api',
      'grant',
      'notion_reconnect_required',
    ],
    ['a missing key', new NotionKeyError('unknown_key_id', 'k1'), 'api', 'configuration', 'notion_key_error'],
    ['our database', new NotionStoreUnavailableError(), 'refresh', 'storage', 'notion_store_unavailable'],
    ['nothing', undefined, 'api', 'unknown', 'unknown'],
    ['chatter', 'it does not work since Tuesday', 'api', 'unknown', 'unknown'],
  ])('knows %s', (_name, error, stage, family, section) => {
    expect(diagnose(error, { stage })).toMatchObject({ family, runbook: `docs/runbook.md#${section}` });
  });

  it('looks behind an error of this library for what Notion said', () => {
    const failure = { status: 401, code: 'invalid_client', requestId: REQUEST_ID };
    const error = new NotionRefreshFailedError('a', 'configuration', failure, 30_000);
    const diagnosis = diagnose(error, { stage: 'refresh' });
    expect(diagnosis).toMatchObject({ code: 'invalid_client', status: 401, requestId: REQUEST_ID });
    expect(diagnose(error.message, { stage: 'refresh' }).code).toBe('invalid_client');
  });

  it('knows the errors that the official SDK throws, also those that it has no class for', async () => {
    expect(
      await sdkError(403, { object: 'error', status: 403, code: 'restricted_resource', message: 'no' }),
    ).toEqual([APIResponseError, 'restricted_resource']);
    expect(await sdkError(400, { error: 'invalid_grant', request_id: REQUEST_ID })).toEqual([
      UnknownHTTPResponseError,
      'invalid_grant',
    ]);
  });

  it.each([
    [
      'a log line',
      `ERROR refresh failed (HTTP 400): {"error":"invalid_grant","request_id":"${REQUEST_ID}"} at 12:03`,
    ],
    [
      'a stack',
      `APIResponseError: x\n  code: 'invalid_grant',\n  status: 400,\n  request_id: '${REQUEST_ID}'\n`,
    ],
    ['curl', `HTTP/1.1 400 Bad Request\nx-notion-request-id: ${REQUEST_ID}\n\n{"error":"invalid_grant"}`],
  ])('reads a pasted text: %s', (_name, text) => {
    expect(diagnose(text, { stage: 'refresh' })).toMatchObject({
      family: 'grant',
      status: 400,
      requestId: REQUEST_ID,
    });
  });

  it('takes no word of a sentence for a code, and no part of a longer one', () => {
    expect(diagnose('You are Unauthorized, my_invalid_grant_handler', { stage: 'api' }).code).toBe('unknown');
  });

  it('repeats no token, secret or code of what it was given', () => {
    for (const stage of DIAGNOSIS_STAGES) {
      for (const secret of SECRETS) {
        for (const error of [
          `refresh_token=${secret} {"error":"invalid_grant","request_id":"${secret}"}`,
          { status: 400, code: secret, body: { error: secret, request_id: secret, access_token: secret } },
          Object.assign(new Error(`invalid_grant for ${secret}`), {
            requestId: secret,
            cause: { code: secret },
          }),
        ]) {
          expect(JSON.stringify(diagnose(error, { stage }))).not.toContain(secret);
        }
      }
    }
  });

  it('answers whatever it is given, and quickly', () => {
    const circular: Record<string, unknown> = { code: 1 };
    circular['cause'] = circular;
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    for (const odd of [circular, hostile, '{'.repeat(1_000_000), Symbol('x'), 1n, () => 1, [[[]]]])
      expect(diagnose(odd, { stage: 'api' }).family).toBe('unknown');
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...DIAGNOSIS_STAGES), (error, stage) => {
        const { causes, fix, runbook } = diagnose(error, { stage });
        return causes.length > 0 && fix.length > 0 && runbook.startsWith('docs/runbook.md#');
      }),
    );
  });
});

async function sdkError(status: number, body: object): Promise<unknown[]> {
  const client = new Client({
    auth: 'none',
    retry: false,
    logLevel: LogLevel.ERROR,
    fetch: () => Promise.resolve(new Response(JSON.stringify(body), { status })),
  });
  const error: unknown = await client.users.me({}).catch((thrown: unknown) => thrown);
  return [(error as object).constructor, diagnose(error, { stage: 'api' }).code];
}
