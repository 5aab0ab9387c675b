import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CANVAS, dotPath, linePath, roundedUp, stackedBars } from './chart-geometry.js';

describe('roundedUp', () => {
  it.each([
    [0, 1],
    [1, 1],
    [3, 5],
    [7, 10],
    [11, 20],
    [0.3, 0.5],
    [1_440, 2_000],
    [5_000, 5_000],
    [Number.NaN, 1],
    [Number.NEGATIVE_INFINITY, 1],
  ])('makes %d to %d', (most, scale) => {
    expect(roundedUp(most)).toBe(scale);
  });

  it('holds whatever it is given, and is not needlessly large', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (most) => {
        expect(roundedUp(most)).toBeGreaterThanOrEqual(most);
        expect(roundedUp(most)).toBeLessThanOrEqual(most * 2.51);
      }),
    );
  });
});

describe('stackedBars', () => {
  it('puts the parts one upon the other, and what is there at all is seen', () => {
    const [column] = stackedBars([[50, 25, 0, 0.01]], 100);
    expect(column!.map(({ y, height }) => [y, height])).toEqual([
      [50, 50],
      [25, 25],
      [25, 0],
      [24, 1],
    ]);
  });

  it('stays on the canvas', () => {
    const buckets = fc.array(fc.array(fc.nat(1_000), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(buckets, (counts) => {
        const most = roundedUp(Math.max(...counts.map((parts) => parts.reduce((sum, part) => sum + part))));
        for (const { x, y, width, height } of stackedBars(counts, most).flat()) {
          expect(Math.min(x, y, width, height)).toBeGreaterThanOrEqual(0);
          expect(x + width).toBeLessThanOrEqual(CANVAS.width + 0.01);
          expect(y + height).toBeLessThanOrEqual(CANVAS.height + 3);
        }
      }),
    );
  });
});

describe('linePath', () => {
  it('has a gap where nothing is known, and leaves out what stands alone, which is a point', () => {
    const values = [0, 100, null, 50, null];
    expect(linePath(values, 100)).toBe('M60 100L180 0');
    expect(dotPath(values, 100)).toBe('M420 50h0');
    expect(linePath([null, null], 1)).toBe('');
  });
});
