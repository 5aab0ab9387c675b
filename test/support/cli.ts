import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { NotionSimulator } from 'nestjs-notion-auth/testing';

const PROGRAM = resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface CliResult {
  readonly code: number | null;
  readonly output: string;
}

/** A folder with an environment, as an operator has them, and the command line in it. */
export class CliSite {
  readonly folder = mkdtempSync(join(tmpdir(), 'notion-cli-'));
  /** Everything that any command printed here. */
  printed = '';

  constructor(private readonly environment: Readonly<Record<string, string>>) {}

  static settingsFor(simulator: NotionSimulator, key: string): Record<string, string> {
    return {
      NOTION_CLIENT_ID: simulator.clientId,
      NOTION_CLIENT_SECRET: simulator.clientSecret,
      NOTION_REDIRECT_URIS: 'https://app.example/notion/callback',
      NOTION_API_BASE_URL: simulator.url,
      NOTION_AUTH_ENCRYPTION_KEYS: key,
    };
  }

  /** @param change - Variables in place of the site's; an empty one counts as not set. */
  async run(
    words: readonly string[],
    { input = '', change = {} }: { input?: string; change?: Readonly<Record<string, string>> } = {},
  ): Promise<CliResult> {
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], ...this.environment, ...change },
    });
    child.stdin.end(input);
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    this.printed += output + errors;
    return { code, output: output + errors };
  }

  /** A command that runs until it is stopped. */
  start(words: readonly string[]) {
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      cwd: this.folder,
      env: { PATH: process.env['PATH'], ...this.environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    return {
      /** What it printed up to the line that holds `text`. */
      until: async (text: string): Promise<string> => {
        let printed = '';
        for await (const chunk of child.stdout) {
          printed += String(chunk);
          if (printed.includes(text)) return printed;
        }
        throw new Error(`The command ended. It printed: ${printed}`);
      },
      stop: async (): Promise<void> => {
        child.kill('SIGTERM');
        await exited;
      },
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
