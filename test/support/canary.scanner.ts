import { randomBytes } from 'node:crypto';

export interface CanaryHit {
  /** What was found, never the value itself. */
  readonly kind: string;
  readonly form: string;
  readonly where: string;
}

/** Secrets are at least twice as long, so that looking at every block of a text is enough. */
const BLOCK = 16;

interface Needle {
  readonly kind: string;
  readonly form: string;
  readonly text: string;
}

/**
 * Plants secrets that are easy to search for, and finds them: as they are, and as base64, base64url, hexadecimal,
 * percent-encoding or a printed list of bytes.
 */
export class CanaryScanner {
  private readonly marks = new Map<string, string>();
  private readonly needles = new Map<string, Needle>();
  private readonly blocks = new Set<string>();
  private planted = 0;

  /** A new secret of this kind. One mark, of letters and digits that no encoding of text changes, is in all of them. */
  plant(kind: string): string {
    this.planted += 1;
    return `${this.markOf(kind)}+/=${this.planted}`;
  }

  /** A secret that the product or the system made itself. */
  watch(kind: string, secret: string | Buffer): void {
    for (const [form, text] of formsOf(Buffer.from(secret as string))) {
      if (text.length < 2 * BLOCK) throw new Error(`Too short to be searched for: ${kind}, ${form}.`);
      if (!this.needles.has(text)) this.needles.set(text, { kind, form, text });
      for (let at = 0; at < BLOCK; at += 1) this.blocks.add(text.slice(at, at + BLOCK));
    }
  }

  /** How many kinds of secrets are looked for. */
  get kinds(): readonly string[] {
    return [...new Set([...this.needles.values()].map(({ kind }) => kind))].sort();
  }

  hitsIn(where: string, text: string): CanaryHit[] {
    // Bytes print in groups and over several lines.
    const packed = text.replaceAll(/\s+/g, '');
    return [text, packed].flatMap((shown) =>
      this.mayHold(shown)
        ? [...this.needles.values()]
            .filter((needle) => shown.includes(needle.text))
            .map(({ kind, form }) => ({ kind, form, where }))
        : [],
    );
  }

  /** Wherever a needle stands, it covers a whole block. */
  private mayHold(text: string): boolean {
    for (let at = 0; at < text.length; at += BLOCK) {
      if (this.blocks.has(text.slice(at, at + BLOCK))) return true;
    }
    return false;
  }

  private markOf(kind: string): string {
    const known = this.marks.get(kind);
    if (known !== undefined) return known;
    const mark = `canary${randomBytes(13).toString('hex')}`;
    this.marks.set(kind, mark);
    this.watch(kind, mark);
    return mark;
  }
}

function formsOf(secret: Buffer): [form: string, text: string][] {
  const hex = secret.toString('hex');
  const bytes = [...secret].join(',');
  return [
    ['raw', secret.toString('latin1')],
    ['percent-encoding', encodeURIComponent(secret.toString('latin1'))],
    ['hexadecimal', hex],
    ['hexadecimal', hex.toUpperCase()],
    ['list of bytes', bytes],
    ...[0, 1, 2].flatMap((offset) => base64Within(secret, offset)),
  ];
}

/** How base64 shows the secret when `offset` (modulo 3) other bytes stand before it, as in `Basic id:secret`. */
function base64Within(secret: Buffer, offset: number): [form: string, text: string][] {
  const padded = Buffer.concat([Buffer.alloc(offset), secret]);
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor((padded.length * 8) / 6);
  return (['base64', 'base64url'] as const).map((form) => [form, padded.toString(form).slice(from, to)]);
}
