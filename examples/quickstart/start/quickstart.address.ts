import { createServer } from 'node:net';
import type { Request } from 'express';
import { isGiven, type Environment } from './environment.js';
import { StartProblem } from './start.problem.js';

const DEFAULT_PORT = 3000;
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const CALLBACK_PATH = '/notion/callback';

/** Where the quickstart is met: the port it listens on, and the origin that Notion sends people back to. */
export class QuickstartAddress {
  private constructor(
    readonly port: number,
    /** The port that was asked for and is somebody else's. */
    readonly takenPort: number | null,
    private readonly origin: URL,
  ) {}

  /**
   * Finds a port and, where no redirect URI is configured, configures the one that goes with it.
   * @throws {@link StartProblem} when the port is taken and the redirect URI is fixed, so that no other port would do.
   */
  static async choose(environment: Environment): Promise<QuickstartAddress> {
    const wanted = Number(environment['PORT'] || DEFAULT_PORT);
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535)
      throw new StartProblem('PORT is not a port number.');
    const isFixed = isGiven(environment, 'NOTION_REDIRECT_URIS');
    const isTaken = !(await isFree(wanted));
    if (isTaken && isFixed) {
      throw new StartProblem(
        `Port ${wanted} is taken, and NOTION_REDIRECT_URIS fixes the address. Free it, or set PORT.`,
      );
    }
    const port = isTaken || wanted === 0 ? await freePort() : wanted;
    if (!isFixed) environment['NOTION_REDIRECT_URIS'] = `http://localhost:${port}${CALLBACK_PATH}`;
    return new QuickstartAddress(port, isTaken ? wanted : null, originOf(environment, port));
  }

  /** The page to open. */
  get url(): string {
    return this.origin.href;
  }

  get isSecure(): boolean {
    return this.origin.protocol === 'https:';
  }

  /** Whether a `Host` header is a loopback name with this port, or the host of the configured redirect URI. */
  isNamedBy(host: string | undefined): boolean {
    const names = LOOPBACK_NAMES.map((name) => new URL(`http://${name}:${this.port}`).host);
    return host !== undefined && [...names, this.origin.host].includes(host.toLowerCase());
  }

  /** True for `http://127.0.0.1:…` where `http://localhost:…` is right: same machine, but not the same cookies. */
  isMistakenBy(request: Request): boolean {
    return this.origin.hostname === 'localhost' && request.hostname === '127.0.0.1';
  }
}

function originOf(environment: Environment, port: number): URL {
  const first = environment['NOTION_REDIRECT_URIS']?.split(',')[0] ?? '';
  // What is no web address (`javascript:`, `data:`) has no origin to meet; the library says what is wrong with it.
  return new URL('/', isWebAddress(first) ? first : `http://localhost:${port}`);
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

/** Both loopback addresses count: `localhost` may lead a browser to either. */
async function isFree(port: number): Promise<boolean> {
  if (port === 0) return true;
  const found = await Promise.all(['127.0.0.1', '::1'].map((host) => tryPort(port, host)));
  return found.every((result) => result !== 'EADDRINUSE' && result !== 'EACCES');
}

async function freePort(): Promise<number> {
  const port = await tryPort(0, '127.0.0.1');
  if (typeof port !== 'number') throw new StartProblem(`There is no free port (${port}).`);
  return port;
}

/** The port that was got and given back, or the code of what stood in the way. */
function tryPort(port: number, host: string): Promise<number | string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'unknown');
    });
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 'unknown');
      });
    });
  });
}
