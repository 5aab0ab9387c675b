import { SteadyState } from './steady-state.js';

describe('SteadyState', () => {
  it('tells a bad state when it is seen for the second time, thirty seconds later', () => {
    const state = new SteadyState();
    expect(state.see('ok', 0)).toBe('ok');
    expect(state.see('critical', 1_000)).toBe('ok');
    expect(state.see('critical', 30_999)).toBe('ok');
    expect(state.see('critical', 31_000)).toBe('critical');
  });

  it('is not moved by one bad moment', () => {
    const state = new SteadyState();
    state.see('ok', 0);
    state.see('critical', 1_000);
    state.see('ok', 20_000);
    expect(state.see('critical', 40_000)).toBe('ok');
  });

  it('is not well again in one good moment either', () => {
    const state = new SteadyState();
    state.see('degraded', 0);
    expect(state.see('degraded', 30_000)).toBe('degraded');
    expect(state.see('ok', 31_000)).toBe('degraded');
    expect(state.see('ok', 61_000)).toBe('ok');
  });

  it('has no hurry and no delay between what alarms nobody', () => {
    const state = new SteadyState();
    expect([state.see('ok', 0), state.see('insufficient_data', 1), state.see('ok', 2)]).toEqual([
      'ok',
      'insufficient_data',
      'ok',
    ]);
  });
});
