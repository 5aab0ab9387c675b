import { createHash, randomBytes, randomUUID } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Where made-up values come from: the system's generator, or a repeatable stream when a seed is given. */
export class Randomness {
  private drawn = 0;

  constructor(private readonly seed?: number) {}

  uuid(): string {
    if (this.seed === undefined) return randomUUID();
    const hex = this.bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  digits(length: number): string {
    return Array.from(this.bytes(length), (byte) => String(byte % 10)).join('');
  }

  letters(length: number): string {
    return Array.from(this.bytes(length), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
  }

  private bytes(length: number): Buffer {
    if (this.seed === undefined) return randomBytes(length);
    const blocks: Buffer[] = [];
    for (let size = 0; size < length; size += 32) blocks.push(this.nextBlock(this.seed));
    return Buffer.concat(blocks).subarray(0, length);
  }

  private nextBlock(seed: number): Buffer {
    this.drawn += 1;
    return createHash('sha256').update(`${seed}:${this.drawn}`).digest();
  }
}
