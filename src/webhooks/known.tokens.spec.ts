import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { Secret } from '../domain/secret.js';
import type { WebhookTokens } from '../domain/webhook-tokens.js';
import { type WebhookTokensReading } from '../domain/webhook-tokens.js';
import { KnownTokens } from './known.tokens.js';

class HandClock extends Clock {
  atMs = 0;
  override now = () => new Date(this.atMs);
  override monotonicMs = () => this.atMs;
  override sleep = () => Promise.resolve();
}

function known(configured: readonly string[], read: () => Promise<WebhookTokensReading>) {
  const clock = new HandClock();
  const config = { webhooks: { verificationTokens: configured.map((token) => new Secret(token)) } };
  let reads = 0;
  const stored = {
    read: () => {
      reads += 1;
      return read();
    },
  } as unknown as WebhookTokens;
  const tokens = new KnownTokens(config as unknown as NotionAuthConfig, stored, clock);
  return { tokens, clock, reads: () => reads };
}

const holding =
  (tokens: readonly string[], isOpen = false) =>
  () =>
    Promise.resolve({ tokens: tokens.map((token) => new Secret(token)), isOpen });
const named = (name: string) => (token: Secret) => token.reveal() === name;

describe('the verification tokens that count', () => {
  it('are the configured ones, without a look at the store', async () => {
    const { tokens, reads } = known(['one', 'two'], holding([]));
    expect((await tokens.find(named('two')))?.reveal()).toBe('two');
    expect(await tokens.hasAny()).toBe(true);
    expect(reads()).toBe(0);
  });

  it('and the stored ones, read once a second at the most', async () => {
    const { tokens, clock, reads } = known(['one'], holding(['three'], true));
    expect((await tokens.find(named('three')))?.reveal()).toBe('three');
    expect(await tokens.find(named('four'))).toBeNull();
    expect(await tokens.isOpen()).toBe(true);
    clock.atMs = 999;
    expect(await tokens.find(named('four'))).toBeNull();
    expect(reads()).toBe(1);
    clock.atMs = 1_000;
    expect(await tokens.find(named('four'))).toBeNull();
    expect(reads()).toBe(2);
  });

  it('are known from the last look, however long ago it was', async () => {
    const { tokens, clock, reads } = known([], holding(['three']));
    await tokens.find(named('three'));
    clock.atMs = 10_000;
    expect((await tokens.find(named('three')))?.reveal()).toBe('three');
    expect(reads()).toBe(1);
  });

  it('are looked for at once after this process has changed them', async () => {
    const { tokens, reads } = known([], holding([]));
    expect(await tokens.hasAny()).toBe(false);
    tokens.forget();
    expect(await tokens.isOpen()).toBe(false);
    expect(reads()).toBe(2);
  });

  it('are looked for again after a look that failed', async () => {
    let failures = 1;
    const { tokens, reads } = known([], () =>
      failures-- > 0 ? Promise.reject(new Error('away')) : holding(['three'])(),
    );
    await expect(tokens.find(named('three'))).rejects.toThrow('away');
    expect((await tokens.find(named('three')))?.reveal()).toBe('three');
    expect(reads()).toBe(2);
  });
});
