import { RequestMethod, VERSION_NEUTRAL, VersioningType, type VersioningOptions } from '@nestjs/common';

type Version = string | typeof VERSION_NEUTRAL;

/** A route excepted from the global prefix, as `ApplicationConfig` keeps it. */
export interface PrefixExclusion {
  readonly pathRegex: RegExp;
  readonly requestMethod: RequestMethod;
}

/** What Nest composes the paths of one handler from. */
export interface RouteParts {
  readonly modulePath: string;
  readonly controllerPaths: readonly string[];
  readonly handlerPaths: readonly string[];
  readonly requestMethod: RequestMethod;
  /** Of the handler, else of the controller, else the application's default; empty for none. */
  readonly versions: readonly Version[];
}

/** What the application adds to the paths of every handler. */
export interface RouteSettings {
  readonly globalPrefix: string;
  readonly exclusions: readonly PrefixExclusion[];
  readonly versioning: VersioningOptions | undefined;
}

/**
 * Every path that a handler is mounted at: global prefix, version, module path, controller path, handler path.
 * @see https://docs.nestjs.com/techniques/versioning and https://docs.nestjs.com/faq/global-prefix
 */
export function mountedPaths(parts: RouteParts, settings: RouteSettings): string[] {
  return versionSegments(parts.versions, settings.versioning).flatMap((version) =>
    parts.controllerPaths.flatMap((controller) =>
      parts.handlerPaths.map((handler) => {
        const unversioned = join(parts.modulePath, controller, handler);
        const prefix = isExcluded(unversioned, parts.requestMethod, settings.exclusions)
          ? ''
          : settings.globalPrefix;
        return join(prefix, version, unversioned);
      }),
    ),
  );
}

/** With another kind of versioning than by URI the version is in a header, and in no path. */
function versionSegments(versions: readonly Version[], versioning: VersioningOptions | undefined): string[] {
  if (versioning?.type !== VersioningType.URI || versions.length === 0) return [''];
  const prefix = versioning.prefix === false ? '' : (versioning.prefix ?? 'v');
  return versions.map((version) => (version === VERSION_NEUTRAL ? '' : `${prefix}${version}`));
}

function isExcluded(path: string, method: RequestMethod, exclusions: readonly PrefixExclusion[]): boolean {
  return exclusions.some(
    ({ pathRegex, requestMethod }) =>
      (requestMethod === RequestMethod.ALL || requestMethod === method) && pathRegex.test(path),
  );
}

function join(...paths: readonly string[]): string {
  const segments = paths.map((path) => path.replace(/^\/+|\/+$/g, '')).filter((path) => path !== '');
  return `/${segments.join('/')}`;
}
