import fc from 'fast-check';
import { findRecords, frame } from './record-frame.js';

const payloads = fc.array(
  fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }).map((text) => Buffer.from(text, 'utf8')),
  { minLength: 1, maxLength: 8 },
);

function found(bytes: Buffer): string[] {
  return findRecords(bytes).records.map(({ payload }) => payload.toString('hex'));
}

function hexOf(all: readonly Buffer[]): string[] {
  return all.map((payload) => payload.toString('hex'));
}

describe('the records of a file', () => {
  it('are found with zeros before, between and after them', () => {
    fc.assert(
      fc.property(payloads, fc.nat(50), (all, zeros) => {
        const gap = Buffer.alloc(zeros);
        const { records, damaged } = findRecords(
          Buffer.concat([gap, ...all.flatMap((payload) => [frame(payload), gap])]),
        );
        expect(hexOf(records.map(({ payload }) => payload))).toEqual(hexOf(all));
        expect(damaged).toEqual([]);
      }),
    );
  });

  it('are all found but one when a bit of that one changes, also in its length or its marker', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(7), (all, position, bit) => {
        const frames = all.map(frame);
        const bytes = Buffer.concat([...frames, Buffer.alloc(200)]);
        const at = position % (bytes.length - 200);
        bytes[at]! ^= 1 << bit;
        let end = 0;
        const hit = frames.findIndex((record) => at < (end += record.length));
        expect(found(bytes)).toEqual(hexOf(all.filter((_, index) => index !== hit)));
        expect(findRecords(bytes).damaged.length).toBeGreaterThan(0);
      }),
    );
  });

  it('are found around one that was torn at any of its bytes', () => {
    const torn = frame(Buffer.from('torn'));
    for (let written = 0; written < torn.length; written += 1) {
      const place = Buffer.concat([torn.subarray(0, written), Buffer.alloc(torn.length - written)]);
      const bytes = Buffer.concat([frame(Buffer.from('a')), place, frame(Buffer.from('b'))]);
      expect(found(bytes)).toEqual(['61', '62']);
    }
  });

  it('are none in a file of noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (noise) => {
        expect(found(Buffer.from(noise))).toEqual([]);
      }),
    );
  });
});
