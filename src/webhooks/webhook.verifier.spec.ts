import { createHmac } from 'node:crypto';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionWebhookRefusedError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import type { WebhookTokens } from '../domain/webhook-tokens.js';
import type { KnownTokens } from './known.tokens.js';
import type { WebhookLog } from './webhook.log.js';
import { WebhookVerifier, type VerifiedMessage } from './webhook.verifier.js';

const TOKEN = 'secret_tMrlL1qK5vuQAh1b';
const EVENT = { id: 'e-1', type: 'page.created', workspace_id: 'w-1', data: {} };

function verifierOf({ known = [TOKEN], isOpen = false, keeps = true } = {}) {
  const kept: string[] = [];
  let paired = 0;
  let forgotten = 0;
  const tokens = known.map((token) => new Secret(token));
  const knownTokens = {
    find: (holds: (token: Secret) => boolean) => Promise.resolve(tokens.find(holds) ?? null),
    hasAny: () => Promise.resolve(tokens.length > 0),
    isOpen: () => Promise.resolve(isOpen),
    forget: () => (forgotten += 1),
  } as unknown as KnownTokens;
  const stored = {
    keep: (token: Secret) => {
      kept.push(token.reveal());
      return Promise.resolve(keeps);
    },
  } as unknown as WebhookTokens;
  const log = { paired: () => (paired += 1) } as unknown as WebhookLog;
  const config = { webhooks: { maxBodyBytes: 1_000 } } as NotionAuthConfig;
  const verifier = new WebhookVerifier(config, knownTokens, stored, log);
  return { verifier, kept, paired: () => paired, forgotten: () => forgotten };
}

function signed(body: string, token = TOKEN): { headers: Record<string, string>; rawBody: Buffer } {
  const digest = createHmac('sha256', token).update(body).digest('hex');
  return { headers: { 'x-notion-signature': `sha256=${digest}` }, rawBody: Buffer.from(body) };
}

const handshakeOf = (token: string) => signed(JSON.stringify({ verification_token: token }), token);

async function outcomeOf(verified: Promise<VerifiedMessage>): Promise<string> {
  return verified.then(
    ({ kind }) => kind,
    (error: unknown) => (error instanceof NotionWebhookRefusedError ? error.refusal : String(error)),
  );
}

describe('a delivery', () => {
  const { verifier } = verifierOf();
  const event = JSON.stringify(EVENT);
  const { rawBody, headers } = signed(event);

  it.each<[string, { headers: Record<string, string>; rawBody?: unknown }, string]>([
    ['signed by a token that counts', { headers, rawBody }, 'event'],
    ['with the token that we know', handshakeOf(TOKEN), 'handshake'],
    ['without raw bytes', { headers }, 'no_raw_body'],
    ['of a text', { headers, rawBody: event }, 'no_raw_body'],
    ['of the longest body', signed(event.padEnd(1_000)), 'event'],
    ['of a longer body', signed(event.padEnd(1_001)), 'too_large'],
    ['without a signature', { headers: {}, rawBody }, 'missing_signature'],
    ['with an empty one', { headers: { 'x-notion-signature': '' }, rawBody }, 'missing_signature'],
    [
      'with one of another shape',
      { headers: { 'x-notion-signature': 'sha1=00' }, rawBody },
      'malformed_signature',
    ],
    ['with that of another token', signed(event, `${TOKEN}c`), 'bad_signature'],
    ['signed, of something else', signed('{}'), 'malformed_event'],
  ])('%s is judged by that', async (_, request, outcome) => {
    expect(await outcomeOf(verifier.verify(request))).toBe(outcome);
  });

  it('that nobody can have signed yet is told apart from a forged one', async () => {
    expect(await outcomeOf(verifierOf({ known: [] }).verifier.verify({ headers, rawBody }))).toBe('unpaired');
  });
});

describe('a handshake', () => {
  const NEW = 'secret_8XzWb0CnT4yPq7Rf';

  it('counts in an open window, once, and is looked for from then on', async () => {
    const { verifier, kept, paired, forgotten } = verifierOf({ isOpen: true });
    expect(await verifier.verify(handshakeOf(NEW))).toEqual({ kind: 'handshake' });
    expect([kept, paired(), forgotten()]).toEqual([[NEW], 1, 1]);
  });

  it.each<[string, Parameters<typeof verifierOf>[0], ReturnType<typeof signed>, string, number]>([
    ['outside a window', {}, handshakeOf(NEW), 'pairing_closed', 0],
    ['that comes second', { isOpen: true, keeps: false }, handshakeOf(NEW), 'pairing_closed', 1],
    ['with a token that is none', { isOpen: true }, handshakeOf('short'), 'bad_signature', 0],
    [
      'signed with another token than it brings',
      { isOpen: true },
      signed(JSON.stringify({ verification_token: NEW }), `${NEW}c`),
      'bad_signature',
      0,
    ],
  ])('%s is refused', async (_, given, request, refusal, asked) => {
    const { verifier, kept, paired } = verifierOf(given);
    expect(await outcomeOf(verifier.verify(request))).toBe(refusal);
    expect([kept.length, paired()]).toEqual([asked, 0]);
  });
});
