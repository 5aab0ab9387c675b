import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

const MAIN = fileURLToPath(new URL('../../../examples/quickstart/main.js', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

/** The quickstart as `npm start` runs it once it is built, in a folder of its own. */
export class QuickstartChild {
  private constructor(
    private readonly process: ChildProcess,
    /** The address it printed. */
    readonly url: string,
    /** Between the start of the process and the first page served. */
    readonly firstPageMs: number,
  ) {}

  /**
   * @param port - `0` for a free one.
   * @param main - The compiled quickstart.
   * @param settings - Environment variables besides; none in a fresh clone.
   */
  static async start(
    folder: string,
    port: number,
    main = MAIN,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<QuickstartChild> {
    const begunAt = performance.now();
    const child = spawn(process.execPath, [main], {
      cwd: folder,
      // Nothing of the caller's Notion settings: the run must be that of a fresh clone.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: String(port), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    try {
      const url = await printedAddress(child, output);
      const answer = await fetch(url);
      if (answer.status !== 200) throw new Error(`The first page was answered with ${answer.status}.`);
      await answer.text();
      return new QuickstartChild(child, url, performance.now() - begunAt);
    } catch (cause) {
      child.kill('SIGKILL');
      throw new Error(`The quickstart did not start. It printed:\n${output.join('\n')}`, { cause });
    }
  }

  /** Asks it to end, as a container platform does; answers its exit code. */
  async stop(): Promise<number | null> {
    if (this.process.exitCode !== null) return this.process.exitCode;
    const ended = once(this.process, 'exit', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    this.process.kill('SIGTERM');
    try {
      const [code] = (await ended) as [number | null];
      return code;
    } catch (cause) {
      this.process.kill('SIGKILL');
      throw new Error('The quickstart did not end within 15 s of SIGTERM.', { cause });
    }
  }
}

function printedAddress(child: ChildProcess, output: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const listen = (line: string) => {
      output.push(line);
      const url = /^\s*Open\s+(http:\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    };
    createInterface({ input: child.stdout! }).on('line', listen);
    createInterface({ input: child.stderr! }).on('line', listen);
    child.once('exit', (code) => {
      reject(new Error(`It ended with exit code ${code}.`));
    });
    setTimeout(() => {
      reject(new Error(`No address within ${START_TIMEOUT_MS} ms.`));
    }, START_TIMEOUT_MS).unref();
  });
}
