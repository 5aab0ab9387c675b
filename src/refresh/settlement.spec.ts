import { verdictOn } from './settlement.js';

const LIMITS = { maxRetryAfterMs: 900_000 };

describe('verdictOn', () => {
  it('lets only a dead grant change the status', () => {
    const kinds = ['not_sent', 'not_processed', 'configuration', 'unknown'] as const;
    for (const kind of kinds) {
      expect(verdictOn({ kind, failure: {} }, true, LIMITS).settlement.kind).not.toBe('needs_reconnect');
    }
    expect(verdictOn({ kind: 'dead', failure: {} }, false, LIMITS).settlement).toEqual({
      kind: 'needs_reconnect',
      reason: 'revoked_or_expired',
    });
  });

  it('calls a grant that is dead after an unknown outcome our own loss', () => {
    expect(verdictOn({ kind: 'dead', failure: {} }, true, LIMITS)).toEqual({
      settlement: { kind: 'needs_reconnect', reason: 'lost_rotation' },
      outcome: 'lost',
    });
  });

  it('waits at least as long as Notion asked, up to the longest allowed', () => {
    const asked = (retryAfterMs: number) =>
      verdictOn({ kind: 'not_processed', failure: { retryAfterMs } }, false, LIMITS).settlement;
    const thirty = asked(30_000);
    expect(thirty.kind === 'postpone' && thirty.retryInMs >= 30_000 && thirty.retryInMs <= 31_000).toBe(true);
    const absurd = asked(1e15);
    expect(absurd.kind === 'postpone' && absurd.retryInMs <= 901_000).toBe(true);
  });
});
