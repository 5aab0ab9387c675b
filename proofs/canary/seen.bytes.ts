import type { CanaryHit, CanaryScanner } from '../../test/support/canary.scanner.js';

/** Everything that could be seen from outside, and by which ways it came about. */
export class SeenBytes {
  private readonly chunks: { readonly where: string; readonly text: string }[] = [];
  private readonly paths = new Set<string>();
  bytes = 0;

  add(where: string, text: string): void {
    this.bytes += Buffer.byteLength(text);
    this.chunks.push({ where, text });
  }

  drove(path: string): void {
    this.paths.add(path);
  }

  get pathCount(): number {
    return this.paths.size;
  }

  /** A secret may be cut by the end of a chunk, so what one place printed is looked at as a whole. */
  hits(scanner: CanaryScanner): CanaryHit[] {
    const byPlace = new Map<string, string[]>();
    for (const { where, text } of this.chunks) byPlace.set(where, [...(byPlace.get(where) ?? []), text]);
    return [...byPlace].flatMap(([where, texts]) => scanner.hitsIn(where, texts.join('')));
  }
}
