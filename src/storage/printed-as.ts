import { inspect } from 'node:util';

/**
 * Gives an object that has to hold a password in clear another way to print, as text and as JSON. Copies made by
 * spreading it, as TypeORM and Nest make them, print like it.
 */
export function printedAs<T extends object>(value: T, shown: () => object): T {
  return Object.assign(value, { [inspect.custom]: shown, toJSON: shown });
}
