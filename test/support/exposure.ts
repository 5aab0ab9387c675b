import { jest } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import { inspect, types } from 'node:util';
import type { Logger as StatementLogger } from 'typeorm';
import type { CanaryHit, CanaryScanner } from './canary.scanner.js';

const SHOW_ALL = {
  depth: 10,
  showHidden: true,
  maxStringLength: Infinity,
  maxArrayLength: 1_000,
  breakLength: Infinity,
  compact: true,
} as const;
const CONSOLE_METHODS = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table'] as const;

/** Collects whatever an application lets be seen: what it prints, answers and throws, and how its objects print. */
export class Exposure {
  private readonly seen = new Map<string, string>();
  private readonly paths = new Set<string>();
  private readonly restorers: (() => void)[] = [];

  /** For Nest, at every level. */
  readonly logger: LoggerService = loggerInto((message) => {
    this.object('log', message);
  });

  /** For TypeORM, as with `logging: 'all'`. */
  readonly statements: StatementLogger = {
    logQuery: (...statement) => {
      this.object('statement', statement.slice(0, 2));
    },
    logQueryError: (error, ...statement) => {
      this.object('failed statement', [error, ...statement.slice(0, 2)]);
    },
    logQuerySlow: (...statement) => {
      this.object('slow statement', statement.slice(0, 3));
    },
    logSchemaBuild: (message) => {
      this.text('schema log', message);
    },
    logMigration: (message) => {
      this.text('migration log', message);
    },
    log: (level, message: unknown) => {
      this.object(`TypeORM ${level}`, message);
    },
  };

  /** From here on nothing reaches the terminal: what a leak would print must not be printed by its test. */
  takeOverOutput(): void {
    for (const method of CONSOLE_METHODS) {
      const spy = jest.spyOn(console, method).mockImplementation((...printed: unknown[]) => {
        this.object(`console.${method}`, printed);
      });
      this.restorers.push(() => {
        spy.mockRestore();
      });
    }
    for (const name of ['stdout', 'stderr'] as const) {
      const spy = jest.spyOn(process[name], 'write').mockImplementation((chunk) => {
        this.text(name, Buffer.from(chunk as string).toString('latin1'));
        return true;
      });
      this.restorers.push(() => {
        spy.mockRestore();
      });
    }
  }

  giveOutputBack(): void {
    for (const restore of this.restorers.splice(0)) restore();
  }

  /** Notes that this way through the library was taken. */
  path(name: string): void {
    this.paths.add(name);
  }

  text(where: string, text: string): void {
    if (!this.seen.has(text)) this.seen.set(text, where);
  }

  object(where: string, value: unknown): void {
    this.text(where, inspect(value, SHOW_ALL));
    this.text(`${where} as JSON`, asJson(value));
    this.text(`${where} as text`, asText(value));
  }

  /** The error in every form that somebody could log, and all its causes. */
  error(where: string, error: unknown): void {
    this.object(where, error);
    if (!types.isNativeError(error)) return;
    this.text(where, `${error.message}\n${error.stack ?? ''}`);
    for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
      this.object(`${where}.${name}`, value.value);
    }
    if (error.cause !== undefined) this.error(`${where}, cause`, error.cause);
  }

  get pathCount(): number {
    return this.paths.size;
  }

  get byteCount(): number {
    return [...this.seen.keys()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  }

  /** Where something was seen. */
  get places(): readonly string[] {
    return [...new Set(this.seen.values())];
  }

  hits(scanner: CanaryScanner): CanaryHit[] {
    return [...this.seen].flatMap(([text, where]) => scanner.hitsIn(where, text));
  }
}

function loggerInto(keep: (message: unknown[]) => void): LoggerService {
  const record = (...message: unknown[]) => {
    keep(message);
  };
  return { log: record, error: record, warn: record, debug: record, verbose: record, fatal: record };
}

function asJson(value: unknown): string {
  const parents = new WeakSet<object>();
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return String(part);
    if (typeof part !== 'object' || part === null) return part;
    if (parents.has(part)) return '(seen)';
    parents.add(part);
    return part;
  }) as string | undefined;
  return text ?? '';
}

function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return ''; // an object without a prototype has no text
  }
}
