/**
 * The URL, or `null` for a text that is none. Not `URL.canParse`: that of Node 20 refuses texts with Latin-1 letters
 * once it has been called often enough to be compiled.
 */
export function parseUrl(text: string, base?: string): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}
