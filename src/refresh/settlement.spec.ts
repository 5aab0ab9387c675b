import { verdictOn } from './settlement.js';

const LIMITS = { maxRetryAfterMs: 900_000, massDeadMinimum: 5 };
const FIRST = { afterUnknown: false, asReplay: false };
const RECOVERING = { afterUnknown: true, asReplay: false };

describe('verdictOn', () => {
  it('lets only a dead grant change the status', () => {
    const kinds = ['not_sent', 'not_processed', 'configuration', 'unknown'] as const;
    for (const kind of kinds) {
      expect(verdictOn({ kind, failure: {} }, RECOVERING, LIMITS).settlement.kind).not.toBe(
        'needs_reconnect',
      );
    }
    expect(verdictOn({ kind: 'dead', failure: {} }, FIRST, LIMITS).settlement).toMatchObject({
      kind: 'needs_reconnect',
      reason: 'revoked_or_expired',
      guard: { threshold: 5, openForMs: 30_000 },
    });
  });

  it('calls a grant that is dead after an unknown outcome our own loss', () => {
    expect(verdictOn({ kind: 'dead', failure: {} }, RECOVERING, LIMITS)).toEqual({
      settlement: { kind: 'needs_reconnect', reason: 'lost_rotation', guard: null },
      outcome: 'lost',
    });
  });

  it('J6: waits at least as long as Notion asked, up to the longest allowed, and never as long as everybody else', () => {
    const asked = (retryAfterMs: number) =>
      verdictOn({ kind: 'not_processed', failure: { retryAfterMs } }, FIRST, LIMITS).settlement;
    const thirty = asked(30_000);
    expect(thirty.kind === 'postpone' && thirty.retryInMs >= 30_000 && thirty.retryInMs <= 31_000).toBe(true);
    const absurd = asked(1e15);
    expect(absurd.kind === 'postpone' && absurd.retryInMs <= 901_000).toBe(true);
    const waits = Array.from({ length: 50 }, () => asked(30_000)).map(
      (one) => one.kind === 'postpone' && one.retryInMs,
    );
    expect(new Set(waits).size).toBeGreaterThan(20);
  });

  it('J6: falls back to its own wait when the header says nothing that can be read', () => {
    const unnamed = verdictOn({ kind: 'not_processed', failure: {} }, FIRST, LIMITS).settlement;
    expect(unnamed.kind === 'postpone' && unnamed.retryInMs > 0 && unnamed.retryInMs <= 900_000).toBe(true);
  });

  it('lets everybody wait when Notion names a time, and only the one refreshed when it does not', () => {
    const named = verdictOn(
      { kind: 'not_processed', failure: { retryAfterMs: 1_000 } },
      FIRST,
      LIMITS,
    ).settlement;
    const unnamed = verdictOn({ kind: 'not_processed', failure: {} }, FIRST, LIMITS).settlement;
    expect([named, unnamed].map((one) => one.kind === 'postpone' && one.gate)).toEqual([
      'rate_limit',
      undefined,
    ]);
  });

  it('remembers that the token was presented again', () => {
    const replay = { afterUnknown: true, asReplay: true };
    expect(verdictOn({ kind: 'unknown', failure: {} }, replay, LIMITS).settlement).toMatchObject({
      replayed: true,
    });
    expect(verdictOn({ kind: 'unknown', failure: {} }, RECOVERING, LIMITS).settlement).toMatchObject({
      replayed: false,
    });
  });
});
