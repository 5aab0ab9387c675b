const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** Brackets and braces differ in one bit that this sets. */
const EITHER = 0x20;
const [OPENER, CLOSER] = [0x7b, 0x7d];

/** Whether JSON goes deeper than `depth`. Parsing what is nested a million times takes far longer than finding out. */
export function isNestedDeeper(json: Uint8Array, depth: number): boolean {
  let level = 0;
  let isInText = false;
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index]!;
    if (isInText && byte === BACKSLASH) index += 1;
    else if (byte === QUOTE) isInText = !isInText;
    else if (isInText) continue;
    else if ((byte | EITHER) === OPENER) level += 1;
    else if ((byte | EITHER) === CLOSER) level -= 1;
    if (level > depth) return true;
  }
  return false;
}
