import { Secret } from '../domain/secret.js';

/** Freezes `value` and everything it holds. A {@link Secret} has nothing to change. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  for (const held of Object.values(value)) deepFreeze<unknown>(held);
  return Object.freeze(value);
}
