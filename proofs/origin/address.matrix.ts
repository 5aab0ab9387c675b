import type { SeededRandom } from '../harness/seeded.random.js';

export interface TwoPorts {
  readonly notion: number;
  readonly foreign: number;
}

const PATHS = ['/v1/users/me', '/', '', '/v1/pages/../users/me', '/v1/oauth/token', '?a=b', '#/v1/users/me'];

/** Every way to write the other origin that an HTTP client could be brought to connect to. */
export function foreignAddresses({ notion, foreign }: TwoPorts): string[] {
  const own = `127.0.0.1:${notion}`;
  const hosts = [
    `127.0.0.1:${foreign}`,
    `localhost:${foreign}`,
    `LOCALHOST:${foreign}`,
    `127.1:${foreign}`,
    `2130706433:${foreign}`,
    `0x7f.0.0.1:${foreign}`,
    `0177.0.0.1:${foreign}`,
    `127.0.0.1:0${foreign}`,
    `127%2e0%2e0%2e1:${foreign}`,
    `127。0。0。1:${foreign}`,
    `[::ffff:127.0.0.1]:${foreign}`,
    `${own}@127.0.0.1:${foreign}`,
    `${own}%2f@127.0.0.1:${foreign}`,
    `user:${own}@127.0.0.1:${foreign}`,
    `@127.0.0.1:${foreign}`,
  ];
  const starts = hosts.flatMap((host) => [
    ...[`http://${host}`, `//${host}`, `HTTP://${host}`, `http:\\\\${host}`, `/\\${host}`, `\\\\${host}`],
    ...[`/\t/${host}`, `/\n/${host}`, `ht\ntp://${host}`, ` //${host}`, `///${host}`, `https://${host}`],
  ]);
  return starts.flatMap((start) => PATHS.map((path) => start + path));
}

/** The right server by a name or in a manner that is not the configured one. */
export function otherNames({ notion }: TwoPorts): string[] {
  const starts = [
    ...[`http://localhost:${notion}`, `http://[::1]:${notion}`, `http://[::ffff:7f00:1]:${notion}`],
    ...[`https://127.0.0.1:${notion}`, `http://user@127.0.0.1:${notion}`, `http://:x@127.0.0.1:${notion}`],
    ...[`ws://127.0.0.1:${notion}`, `blob:http://127.0.0.1:${notion}`, `http://127.0.0.2:${notion}`],
  ];
  return starts.flatMap((start) => PATHS.map((path) => start + path));
}

/** Put together at random: some mean Notion, most mean nothing good. */
export function randomAddress(random: SeededRandom, { notion, foreign }: TwoPorts): string {
  const pick = (...choices: string[]) => random.one(choices);
  const port = pick(`:${notion}`, `:${foreign}`, `:${foreign}`, '', ':0');
  const host = pick('127.0.0.1', 'localhost', '127.1', '[::1]', `127.0.0.1:${notion}@127.0.0.1`, '', 'v1');
  const parts = [
    pick('', '', 'http:', 'http:', 'https:', 'HTTP:', 'blob:http:', 'ws:', 'data:', 'x:'),
    pick('', '/', '//', '//', '///', '\\\\', '/\\', '/\t/', '\r\n//', ' //'),
    pick('', '', 'user@', 'a:b@', `127.0.0.1:${notion}@`, '@', `127.0.0.1:${notion}%2f@`, '#@', '?@'),
    host + port,
  ];
  const segments = Array.from({ length: random.whole(0, 4) }, () =>
    pick(
      'v1',
      'users',
      'me',
      '..',
      '.',
      '%2e%2e',
      'oauth',
      '%6fauth',
      '//',
      `\\127.0.0.1:${foreign}`,
      '%0d%0a',
    ),
  );
  return `${parts.join('')}/${segments.join('/')}`;
}

/** Where an answer may point to: elsewhere in every manner, and at Notion itself. */
export function redirectTargets({ notion, foreign }: TwoPorts): string[] {
  return [
    `http://127.0.0.1:${foreign}/v1/users/me`,
    `http://localhost:${foreign}/v1/oauth/token`,
    `//127.0.0.1:${foreign}/v1/users/me`,
    `\\\\127.0.0.1:${foreign}/`,
    `http://127.0.0.1:${notion}@127.0.0.1:${foreign}/`,
    `https://127.0.0.1:${foreign}/`,
    `http://127.0.0.1:${notion}/v1/users/me`,
    '/v1/oauth/token',
    '',
  ];
}
