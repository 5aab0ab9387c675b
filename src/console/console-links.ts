import type { ConsoleRequest } from './console.request.js';

/**
 * Links from one page of the console to another, relative to the page they stand on: they lead right below any global
 * prefix, and behind a proxy that takes a part of the path away.
 */
export class ConsoleLinks {
  /** Before the path of any page. */
  private readonly root: string;
  readonly home: string;

  private constructor(root: string, ownName: string) {
    this.root = root;
    // Without a slash at its end, which not every router takes.
    this.home = ownName === '' ? root : `${root}../${ownName}`;
  }

  /** @param depth - How many segments the page has below the path where the console is mounted. */
  static from({ originalUrl, url }: ConsoleRequest, depth: number): ConsoleLinks {
    const [path = ''] = (originalUrl ?? url).split('?');
    const hasSlash = path.endsWith('/');
    const segments = path.split('/').filter((segment) => segment !== '');
    const ownName = segments.at(-1 - depth) ?? '';
    const up = depth - (hasSlash ? 0 : 1);
    const root = up < 0 ? `./${ownName}/` : up === 0 ? './' : '../'.repeat(up);
    return new ConsoleLinks(root, ownName);
  }

  overview(query: Readonly<Record<string, string | undefined>> = {}): string {
    return this.home + queryText(query);
  }

  list(query: Readonly<Record<string, string | undefined>> = {}): string {
    return `${this.root}authorizations${queryText(query)}`;
  }

  authorization(id: string, query: Readonly<Record<string, string | undefined>> = {}): string {
    return `${this.root}authorizations/${encodeURIComponent(id)}${queryText(query)}`;
  }

  action(id: string, action: string): string {
    return `${this.root}authorizations/${encodeURIComponent(id)}/${action}`;
  }
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
