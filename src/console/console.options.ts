import type { CanActivate, ModuleMetadata, Type } from '@nestjs/common';
import { parseUrl } from '../config/parse-url.js';

/**
 * Who acts, for the log: a name or an id from the application's own session. At most 64 characters of it are kept,
 * masked like every line.
 */
export type ConsoleActor = (request: never) => string | null | undefined | Promise<string | null | undefined>;

export interface NotionAuthConsoleOptions {
  /**
   * Who may see and act: a guard of the application, as a class that Nest makes or as an instance. It stands before
   * every route of the console. Mandatory, because the console shows the authorizations of all owners and disconnects
   * them: let nobody through but operators.
   */
  readonly guard: Type<CanActivate> | CanActivate;
  /** Where it is mounted, below a global prefix if there is one. @defaultValue `'notion/console'` */
  readonly path?: string;
  /**
   * Origin under which browsers see the console, such as `https://ops.example`, where a proxy changes `Host` and sends
   * no `X-Forwarded-Host`. Forms of browsers that send no `Sec-Fetch-Site` are compared with it.
   * @defaultValue the host of the request
   */
  readonly publicOrigin?: string;
  /** Modules that export what the guard injects, unless they are global. */
  readonly imports?: ModuleMetadata['imports'];
  /** Who pressed a button, for the log. Without it every line says `unknown`. */
  readonly actor?: ConsoleActor;
}

export const CONSOLE_PATH = 'notion/console';

const SEGMENTS = /^[\w.~-]+(?:\/[\w.~-]+)*$/;

/** By option, never by value. */
export function consoleProblems(options: unknown): readonly string[] {
  const { guard, path, actor, publicOrigin } = fieldsOf(options);
  const problems: string[] = [];
  if (!isGuard(guard)) {
    problems.push(
      'NotionAuthConsoleModule: guard is missing: give a Nest guard (a class or an instance with canActivate) that lets operators through and nobody else',
    );
  }
  if (path !== undefined && (typeof path !== 'string' || !SEGMENTS.test(trimmed(path)))) {
    problems.push(
      'NotionAuthConsoleModule: path is no plain path, such as notion/console; it takes no parameters',
    );
  }
  if (publicOrigin !== undefined && !isOrigin(publicOrigin)) {
    problems.push(
      'NotionAuthConsoleModule: publicOrigin must be an http or https origin without a path, such as https://ops.example',
    );
  }
  if (actor !== undefined && typeof actor !== 'function') {
    problems.push('NotionAuthConsoleModule: actor is no function from a request to a name');
  }
  return problems;
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && /^https?:/.test(value) && parseUrl(value)?.origin === value;
}

/** Without slashes around it. */
export function trimmed(path: string): string {
  return path.replace(/^\/{1,10}|\/{1,10}$/g, '');
}

function fieldsOf(options: unknown): Readonly<Record<string, unknown>> {
  return typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
}

function isGuard(guard: unknown): boolean {
  if (typeof guard === 'function') return hasCanActivate((guard as { prototype?: unknown }).prototype);
  return hasCanActivate(guard);
}

function hasCanActivate(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { canActivate?: unknown }).canActivate === 'function'
  );
}
