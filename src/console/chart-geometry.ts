/** Every chart is drawn on this canvas and stretched to its place; text stands beside it, so that it keeps its size. */
export const CANVAS = { width: 600, height: 100 } as const;

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The smallest round number (1, 2 or 5 times a power of ten) that holds `most`; never 0. */
export function roundedUp(most: number): number {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  // Of 0.1 + 0.2 no digit beyond the twelfth means anything.
  const steps = [1, 2, 5, 10].map((step) => Number((step * power).toPrecision(12)));
  return steps.find((step) => step >= most) ?? most;
}

/**
 * One column for each bucket, its parts one upon the other in their order. What is there at all is seen: a part is at
 * least one unit high.
 */
export function stackedBars(
  buckets: readonly (readonly number[])[],
  most: number,
): readonly (readonly Bar[])[] {
  const slot = CANVAS.width / Math.max(1, buckets.length);
  const gap = Math.min(2, slot / 5);
  return buckets.map((parts, index) => {
    let y: number = CANVAS.height;
    return parts.map((part) => {
      const height = part === 0 ? 0 : Math.max(1, (part / most) * CANVAS.height);
      y = Math.max(0, y - height);
      return {
        x: rounded(index * slot + gap / 2),
        y: rounded(y),
        width: rounded(slot - gap),
        height: rounded(height),
      };
    });
  });
}

/** A path through the middles of the buckets, with a gap where nothing is known. */
export function linePath(values: readonly (number | null)[], most: number): string {
  return values
    .map((value, index) => {
      if (value === null || isAlone(values, index)) return '';
      return `${(values[index - 1] ?? null) === null ? 'M' : 'L'}${pointOf(values, index, most)}`;
    })
    .join('');
}

/** Those values that no line leads to. Lines of length 0: with round ends they are points, however they are stretched. */
export function dotPath(values: readonly (number | null)[], most: number): string {
  return values
    .map((value, index) =>
      value === null || !isAlone(values, index) ? '' : `M${pointOf(values, index, most)}h0`,
    )
    .join('');
}

function isAlone(values: readonly (number | null)[], index: number): boolean {
  return (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
}

function pointOf(values: readonly (number | null)[], index: number, most: number): string {
  const x = (index + 0.5) * (CANVAS.width / values.length);
  const y = CANVAS.height * (1 - Math.min(1, (values[index] ?? 0) / most));
  return `${String(rounded(x))} ${String(rounded(y))}`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
