/**
 * Why no answer came: the code of the socket, or `timeout`. `null` for whatever else a call may reject with: an error
 * of this library, before anything was sent, or the reason of the caller who broke it off.
 */
export function noAnswerCodeOf(error: unknown): string | null {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'timeout';
  if (!(error instanceof TypeError)) return null;
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'no_answer';
}
