import type { Verdict } from './config-findings.js';

/**
 * Metadata key of what receives Notion's callback: on a guard class, or on a handler. Every handler so marked or
 * guarded counts as a callback route.
 */
export const NOTION_CALLBACK_ROUTE = 'nestjs-notion-auth:callback-route';

/** Compares the path of each redirect URI with the routes that take callbacks. Hosts and ports are not compared. */
export function judgeCallbackRoutes(
  redirectUris: readonly string[],
  mountedPaths: readonly string[],
): Verdict {
  if (mountedPaths.length === 0) return { problems: [NO_ROUTE], warnings: [] };
  const verdicts = redirectUris.map((uri) => judgePath(new URL(uri).pathname, mountedPaths));
  return {
    problems: verdicts.flatMap(({ problem }, index) =>
      problem === null ? [] : [`entry ${index + 1}: ${problem}`],
    ),
    warnings: verdicts.flatMap(({ warning }, index) =>
      warning === null ? [] : [`entry ${index + 1}: ${warning}`],
    ),
  };
}

const NO_ROUTE =
  'no callback route is mounted: set the routes option to a path prefix, or put @UseGuards(NotionCallbackGuard) on a GET handler';

interface PathVerdict {
  readonly problem: string | null;
  readonly warning: string | null;
}

function judgePath(path: string, mounted: readonly string[]): PathVerdict {
  const routes = mounted.join(', ');
  if (mounted.some((route) => serves(route, path))) return { problem: null, warning: null };
  const slashless = mounted.find((route) => serves(route, withoutEndSlash(path)));
  if (slashless !== undefined) {
    return { problem: null, warning: `its path ${path} ends with a slash, the route ${slashless} does not` };
  }
  const otherCase = mounted.find((route) => serves(route.toLowerCase(), withoutEndSlash(path).toLowerCase()));
  if (otherCase !== undefined) {
    return {
      problem: `its path ${path} differs in case from the mounted callback route ${otherCase}`,
      warning: null,
    };
  }
  return { problem: `its path ${path} is not where the callback is mounted (${routes})`, warning: null };
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
