import { NotionAuthError, NotionStoreUnavailableError } from '../domain/errors.js';

/**
 * Waits for the store. Whatever a driver throws means that nothing was decided, so nothing is allowed; a
 * `TypeError` is about an argument and stays one.
 * @throws {@link NotionStoreUnavailableError} with the driver's error as its cause.
 */
export async function storeCall<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof NotionAuthError || error instanceof TypeError) throw error;
    throw new NotionStoreUnavailableError({ cause: error });
  }
}
