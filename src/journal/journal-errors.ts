/** What the journal itself finds wrong, with a code beside those of the file system. */
export class JournalFileError extends Error {
  constructor(readonly code: 'journal_full' | 'short_write' | 'not_a_file' | 'too_large') {
    super(`The journal file cannot be used (${code}).`);
  }
}

/** A code, never a message: those of the file system name paths. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'unknown';
}
