import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';

/** Whom a database server runs as: it refuses to be root. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** The user of that name when we are root (made, if there is none), else ourselves. */
export function serverUser(name: string): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }).toString());
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    execFileSync('useradd', ['--system', '--user-group', name], { stdio: 'pipe' });
    return { uid: idOf('-u'), gid: idOf('-g') };
  }
}

export function makeFolderFor(user: ServerUser, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
}

/** Runs a program to its end. @throws with what it said when it fails. */
export function runProgram(program: string, given: readonly string[], user: ServerUser): void {
  execFileSync(program, [...given], { ...user, stdio: 'pipe', cwd: '/' });
}

/** The last things a server said, to be shown when it fails. */
export class ServerLog {
  private readonly lines: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();

  follow(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.add(chunk.toString());
      });
    }
  }

  /** Until a line holds `words`. @throws when the server ends before, or says nothing of the kind in time. */
  async says(words: string, child: ChildProcess, timeoutMs = 60_000): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`The server was not ready after ${timeoutMs} ms:\n${this.tail()}`));
      }, timeoutMs);
      child.once('close', () => {
        reject(new Error(`The server ended while it started:\n${this.tail()}`));
      });
      const listener = (line: string) => {
        if (!line.includes(words)) return;
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
    });
  }

  tail(): string {
    return this.lines.slice(-20).join('\n');
  }

  private add(text: string): void {
    for (const line of text.split('\n').filter((one) => one !== '')) {
      this.lines.push(line);
      for (const listener of this.listeners) listener(line);
    }
    if (this.lines.length > 1_000) this.lines.splice(0, 500);
  }
}

export function startProgram(program: string, given: readonly string[], user: ServerUser): ChildProcess {
  return spawn(program, [...given], { ...user, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' });
}
