import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Client } from '@notionhq/client';
import { diagnose } from './diagnose.js';
import type { DiagnosisFamily, DiagnosisStage } from './diagnosis.js';

const REQUEST_ID = '17359c46-43bd-45d2-a6a3-73d02ec2c2a2';

interface Answer {
  readonly status: number;
  readonly body: object | string;
}

function ofApi(status: number, code: string, message: string): Answer {
  return { status, body: { object: 'error', status, code, message, request_id: REQUEST_ID } };
}

function ofOAuth(status: number, error: string): Answer {
  return { status, body: { error, request_id: REQUEST_ID } };
}

/** The triage table's errors, as Notion answers them. */
const ERRORS: readonly [name: string, Answer, DiagnosisStage, DiagnosisFamily, section: string][] = [
  ['invalid_grant', ofOAuth(400, 'invalid_grant'), 'refresh', 'grant', 'invalid_grant'],
  ['invalid_grant as the API says it', ofApi(400, 'invalid_grant', 'x'), 'refresh', 'grant', 'invalid_grant'],
  ['unauthorized', ofApi(401, 'unauthorized', 'API token is invalid.'), 'api', 'token', 'unauthorized'],
  [
    'restricted_resource',
    ofApi(403, 'restricted_resource', 'Insufficient permissions for this endpoint.'),
    'api',
    'permission',
    'restricted_resource',
  ],
  [
    'object_not_found',
    ofApi(404, 'object_not_found', 'Could not find page with ID: 4cc3. Make sure it is shared.'),
    'api',
    'permission',
    'object_not_found',
  ],
  [
    'rate_limited',
    ofApi(429, 'rate_limited', 'You have been rate limited. Please try again in a few minutes.'),
    'api',
    'limit',
    'rate_limited',
  ],
  ['invalid_client', ofOAuth(401, 'invalid_client'), 'refresh', 'configuration', 'invalid_client'],
  [
    'a 403 of the edge',
    { status: 403, body: '<!DOCTYPE html><html><title>Attention Required! | Cloudflare</title></html>' },
    'api',
    'network',
    'edge_blocked',
  ],
];

/** Of the others a message or a head says nothing but the status. */
const TOLD_WITHOUT_BODY = [
  'unauthorized',
  'restricted_resource',
  'object_not_found',
  'rate_limited',
  'a 403 of the edge',
];

function errorNamed(name: string) {
  return ERRORS.find(([known]) => known === name)!;
}

function textOf({ body }: Answer): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function responseOf(answer: Answer): Response {
  const type = typeof answer.body === 'string' ? 'text/html; charset=UTF-8' : 'application/json';
  const headers = { 'content-type': type, 'x-notion-request-id': REQUEST_ID };
  return new Response(textOf(answer), { status: answer.status, headers });
}

/** What the official SDK throws of it, by its own code. */
async function sdkErrorOf(answer: Answer, stage: DiagnosisStage): Promise<Error> {
  const notion = new Client({
    retry: false,
    logger: () => undefined,
    fetch: () => Promise.resolve(responseOf(answer)),
  });
  const call =
    stage === 'api'
      ? notion.users.me({})
      : notion.oauth.token({
          grant_type: 'refresh_token',
          refresh_token: 'r',
          client_id: 'i',
          client_secret: 's',
        });
  return call.then(
    () => new Error('no error'),
    (error: unknown) => error as Error,
  );
}

/** Everything that whoever meets the error may have in hands. */
function shapesOf(answer: Answer, sdkError: Error): Readonly<Record<string, unknown>> {
  const { status, body } = answer;
  const text = textOf(answer);
  return {
    'the error of the SDK': sdkError,
    'its JSON': JSON.parse(JSON.stringify(sdkError)),
    'what console.log prints of it': inspect(sdkError),
    'an error that wraps it': new Error('the job failed', { cause: sdkError }),
    'several at once': new AggregateError([sdkError], 'all failed'),
    'status and body': { status, body },
    'status and text': { status, body: text },
    'status and bytes': { status, body: Buffer.from(text) },
    'an axios error': Object.assign(new Error(`Request failed with status code ${String(status)}`), {
      code: 'ERR_BAD_REQUEST',
      config: { url: 'https://api.notion.com/v1/oauth/token' },
      response: { status, data: body, headers: {} },
    }),
    'an error of got': Object.assign(new Error('Response code'), {
      response: { statusCode: status, body: text },
    }),
    'pasted JSON': text,
    'pasted JSON, quoted': JSON.stringify(text),
    'the output of curl -i': `HTTP/2 ${String(status)}\r\nx-notion-request-id: ${REQUEST_ID}\r\n\r\n${text}`,
    'a line of a log': `\u001b[31mERROR\u001b[39m [Job] ${String(status)} ${text}\n    at foo (/app/a.js:1:2)\n\u0000}}{`,
    'what Python prints': text.replaceAll('"', "'"),
  };
}

describe.each(ERRORS)('diagnose, of %s', (_name, answer, stage, family, section) => {
  it('says the same in whatever shape it comes', async () => {
    const shapes = shapesOf(answer, await sdkErrorOf(answer, stage));
    const told = Object.entries(shapes).map(([shape, error]) => {
      const diagnosis = diagnose(error, { stage });
      return [shape, diagnosis.family, diagnosis.runbook];
    });
    expect(told).toEqual(Object.keys(shapes).map((shape) => [shape, family, `docs/runbook.md#${section}`]));
  });
});

describe('diagnose', () => {
  it.each(TOLD_WITHOUT_BODY)('knows %s by a stack alone, where the SDK has a word for it', async (name) => {
    const [, answer, stage, family] = errorNamed(name);
    const { stack } = await sdkErrorOf(answer, stage);
    expect(diagnose(stack, { stage }).family).toBe(family);
  });

  it.each(TOLD_WITHOUT_BODY)('knows %s by the head of a Response, whose body may be a stream', (name) => {
    const [, answer, stage, family] = errorNamed(name);
    expect(diagnose(responseOf(answer), { stage })).toMatchObject({ family, requestId: REQUEST_ID });
  });

  it('says nothing of a grant by a status alone', () => {
    for (const status of [400, 401, 403]) {
      expect([status, diagnose({ status }, { stage: 'refresh' }).family]).toEqual([status, 'unknown']);
    }
  });

  it('knows a time limit that was over, of the SDK, of a signal and of axios', async () => {
    const never = new Client({
      timeoutMs: 1,
      retry: false,
      logger: () => undefined,
      fetch: () => new Promise(() => undefined),
    });
    const ofSdk: unknown = await never.users.me({}).catch((error: unknown) => error);
    const ofSignal: unknown = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    const ofAxios = Object.assign(new Error('timeout of 1000ms exceeded'), { code: 'ECONNABORTED' });
    for (const error of [ofSdk, ofSignal, ofAxios]) {
      expect(diagnose(error, { stage: 'api' })).toMatchObject({
        family: 'network',
        runbook: 'docs/runbook.md#lost_answer',
      });
    }
  });
});
