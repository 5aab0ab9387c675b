const ALIGNMENTS = [0, 1, 2];

/** How many of the secrets are in there: as they are, or as hex or base64 of anything that holds them. */
export function secretsIn(bytes: Buffer, secrets: Iterable<string>): number {
  let found = 0;
  for (const secret of new Set(secrets))
    if (tracesOf(secret).some((trace) => bytes.includes(trace))) found += 1;
  return found;
}

function tracesOf(secret: string): string[] {
  const hex = Buffer.from(secret).toString('hex');
  return [
    secret,
    encodeURIComponent(secret),
    hex,
    hex.toUpperCase(),
    ...ALIGNMENTS.flatMap((at) => base64Of(secret, at)),
  ];
}

/** The part of it that does not depend on what stands before and after. */
function base64Of(secret: string, alignment: number): string[] {
  const shifted = Buffer.from('x'.repeat(alignment) + secret);
  return [shifted.toString('base64'), shifted.toString('base64url')].map((text) => text.slice(4, -4));
}
