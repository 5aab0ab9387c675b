import { OPTION_VARIABLES, type Verdict } from './config-findings.js';
import type { NotionAuthConfig } from './notion-auth.options.js';

/**
 * Metadata key of what receives Notion's callback: on a guard class, or on a handler. Every handler so marked or
 * guarded counts as a callback route.
 */
export const NOTION_CALLBACK_ROUTE = 'nestjs-notion-auth:callback-route';

/** Where Notion sends the user back to, and what a proxy removes from the path on the way. */
type PublicAddresses = Pick<NotionAuthConfig, 'redirectUris' | 'publicBasePaths'>;

/**
 * Compares the path of each redirect URI with the paths of the routes that take callbacks, behind each public base path.
 * Hosts and ports are not compared.
 */
export function judgeCallbackRoutes(addresses: PublicAddresses, mountedPaths: readonly string[]): Verdict {
  if (mountedPaths.length === 0) return { problems: [`${NO_ROUTE}; ${NO_CALLBACK}`], warnings: [] };
  const paths = addresses.redirectUris.map((uri) => new URL(uri).pathname);
  const routes = addresses.publicBasePaths.flatMap((base) => mountedPaths.map((route) => base + route));
  const verdicts = paths.map((path) => judgePath(path, routes));
  const fixed = fittingBasePaths(addresses.publicBasePaths, paths, mountedPaths).join(',');
  return {
    problems: verdicts.flatMap(({ problem, isElsewhere }, index) => {
      if (problem === null) return [];
      const removed = removedPrefix(paths[index]!, mountedPaths);
      return [`entry ${index + 1}: ${problem}${isElsewhere ? `; ${adviceOn(removed, fixed)}` : ''}`];
    }),
    warnings: verdicts.flatMap(({ warning }, index) =>
      warning === null ? [] : [`entry ${index + 1}: ${warning}`],
    ),
  };
}

const NO_ROUTE =
  'no callback route is mounted: set the routes option to a path prefix, or put @UseGuards(NotionCallbackGuard) on a GET handler';

const NO_CALLBACK = 'in a process that serves no callback, such as a worker, set servesCallback to false';

const PLAIN_WAY =
  'configure and register a redirect URI with a mounted path, or mount the callback at this one';

const BASE_PATH_OPTION = `publicBasePath (${OPTION_VARIABLES['publicBasePath']!})`;

interface PathVerdict {
  readonly problem: string | null;
  readonly warning: string | null;
  /** Whether no route is like the path. */
  readonly isElsewhere?: boolean;
}

function judgePath(path: string, routes: readonly string[]): PathVerdict {
  if (routes.some((route) => serves(route, path))) return { problem: null, warning: null };
  const slashless = routes.find((route) => serves(route, withoutEndSlash(path)));
  if (slashless !== undefined) {
    return { problem: null, warning: `its path ${path} ends with a slash, the route ${slashless} does not` };
  }
  const otherCase = routes.find((route) => serves(route.toLowerCase(), withoutEndSlash(path).toLowerCase()));
  if (otherCase !== undefined) {
    return {
      problem: `its path ${path} differs in case from the mounted callback route ${otherCase}`,
      warning: null,
    };
  }
  const problem = `its path ${path} is not where the callback is mounted (${routes.join(', ')})`;
  return { problem, warning: null, isElsewhere: true };
}

/** What to do about a path that no route serves. */
function adviceOn(removedPrefix: string | null, fittingBasePaths: string): string {
  const setting = `set ${BASE_PATH_OPTION} to`;
  if (removedPrefix === null)
    return `${PLAIN_WAY}; if a proxy removes a path prefix, ${setting} it; ${NO_CALLBACK}`;
  if (removedPrefix === '')
    return `configure and register the redirect URI with the prefix; if no proxy removes one from this redirect URI, ${setting} ${fittingBasePaths}; ${NO_CALLBACK}`;
  return `if a proxy removes ${removedPrefix} before a request reaches this application, ${setting} ${fittingBasePaths}; if none does, ${PLAIN_WAY}; ${NO_CALLBACK}`;
}

/** The base paths with which every path is served that ends with a mounted one. */
function fittingBasePaths(
  configured: readonly string[],
  paths: readonly string[],
  mounted: readonly string[],
): string[] {
  const fitting = paths.flatMap((path) => {
    const isServedBehind = (base: string) =>
      mounted.some((route) => serves(base + route, withoutEndSlash(path)));
    return configured.find(isServedBehind) ?? removedPrefix(path, mounted) ?? [];
  });
  return [...new Set(fitting)].map((base) => (base === '' ? '/' : base));
}

/** What stands before a mounted path at the end of `path`; `null` where it does not end with one. */
function removedPrefix(path: string, mounted: readonly string[]): string | null {
  const segments = withoutEndSlash(path).split('/');
  for (let length = 1; length < segments.length; length += 1) {
    const rest = `/${segments.slice(length).join('/')}`;
    if (mounted.some((route) => serves(route, rest))) return segments.slice(0, length).join('/');
  }
  return null;
}

/** Whether a route as Nest writes it (`:name` for a segment, `*name` for the rest) answers a path. */
function serves(route: string, path: string): boolean {
  const wanted = path.split('/');
  const offered = route.split('/');
  const rest = offered.findIndex((segment) => segment.startsWith('*'));
  const compared = rest < 0 ? offered : offered.slice(0, rest);
  if (rest < 0 ? wanted.length !== offered.length : wanted.length <= rest) return false;
  return compared.every((segment, index) => {
    const given = wanted[index]!;
    return segment.startsWith(':') ? given !== '' : segment === given;
  });
}

function withoutEndSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
