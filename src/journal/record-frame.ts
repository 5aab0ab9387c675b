import { crc32 } from 'node:zlib';

/**
 * Begins each record. 0xff is no byte of UTF-8, so no payload holds it: after damage of any kind the next record is
 * found by it.
 */
const MARKER = Buffer.from([0xff, 0x4e, 0x4a, 0x52]);
const LENGTH_AT = MARKER.length;
const CHECKSUM_AT = LENGTH_AT + 4;
const HEADER_BYTES = CHECKSUM_AT + 4;

/** Where something stands in a file. Of a record, the header included. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

export interface FramedRecord {
  readonly payload: Buffer;
  readonly place: Place;
}

export interface FramedContent {
  readonly records: readonly FramedRecord[];
  /** Neither a record nor the zeros of an erased or unused place: torn writes and damage. */
  readonly damaged: readonly Place[];
}

export function frame(payload: Buffer): Buffer {
  const record = Buffer.alloc(HEADER_BYTES + payload.length);
  MARKER.copy(record);
  record.writeUInt32BE(payload.length, LENGTH_AT);
  record.writeUInt32BE(crc32(payload), CHECKSUM_AT);
  payload.copy(record, HEADER_BYTES);
  return record;
}

export function framedLength(payloadBytes: number): number {
  return HEADER_BYTES + payloadBytes;
}

/** Finds every whole record; damage between two of them hides neither. */
export function findRecords(bytes: Buffer): FramedContent {
  const records: FramedRecord[] = [];
  const damaged: Place[] = [];
  let endOfLast = 0;
  let at = bytes.indexOf(MARKER);
  while (at !== -1) {
    const record = recordAt(bytes, at);
    if (record !== null) {
      damaged.push(...nonZeroPart(bytes, endOfLast, at));
      records.push(record);
      endOfLast = at + record.place.length;
    }
    at = bytes.indexOf(MARKER, Math.max(endOfLast, at + 1));
  }
  damaged.push(...nonZeroPart(bytes, endOfLast, bytes.length));
  return { records, damaged };
}

function recordAt(bytes: Buffer, offset: number): FramedRecord | null {
  const from = offset + HEADER_BYTES;
  if (from > bytes.length) return null;
  const length = bytes.readUInt32BE(offset + LENGTH_AT);
  // A torn write may leave a marker and zeros, whose checksum would fit a payload of no bytes.
  if (length === 0 || from + length > bytes.length) return null;
  const payload = bytes.subarray(from, from + length);
  if (crc32(payload) !== bytes.readUInt32BE(offset + CHECKSUM_AT)) return null;
  return { payload, place: { offset, length: HEADER_BYTES + length } };
}

function nonZeroPart(bytes: Buffer, from: number, to: number): readonly Place[] {
  const part = bytes.subarray(from, to);
  const first = part.findIndex((byte) => byte !== 0);
  if (first === -1) return [];
  const last = part.findLastIndex((byte) => byte !== 0);
  return [{ offset: from + first, length: last - first + 1 }];
}
