import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication, LoggerService, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  NotionAuthModule,
  NotionConnectService,
  NotionTokenService,
  type ConnectOptions,
  type RefreshOptions,
} from 'nestjs-notion-auth';
import sqlite3 from 'sqlite3';

export const REDIRECT_URI = 'https://app.example/notion/callback';

export interface ConnectAppOptions {
  readonly notionUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri?: string;
  readonly issuer?: string;
  /** Shares the database of another application. */
  readonly folder?: string;
  /** A server's database instead of a file. */
  readonly databaseUrl?: string;
  /** Prefix of the built-in routes. @defaultValue `notion` */
  readonly routes?: string;
  /** Replaces the built-in routes. */
  readonly controller?: Type<unknown>;
  readonly connect?: ConnectOptions;
  readonly refresh?: RefreshOptions;
  /** Base64 of 32 bytes, for an application that reads what another wrote. */
  readonly encryptionKey?: string;
  readonly resolveOwner?: (request: { headers: Record<string, string | undefined> }) => never;
}

/** A Nest application with the module in it, listening on a loopback port, its database in reach. */
export class ConnectApp {
  /** Every line of every application, after its level: Nest has one logger per process. */
  static readonly log: string[] = [];
  private static readonly logged = new EventEmitter();

  /** Resolves when `count` more lines with this text have been written. */
  static async next(text: string, count = 1): Promise<void> {
    for (let left = count; left > 0;) {
      const [line] = (await once(ConnectApp.logged, 'line')) as [string];
      if (line.includes(text)) left -= 1;
    }
  }

  private constructor(
    private readonly nest: INestApplication,
    readonly folder: string,
    private readonly ownsFolder: boolean,
  ) {}

  static async start(options: ConnectAppOptions): Promise<ConnectApp> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'notion-connect-'));
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          clientId: options.clientId,
          clientSecret: options.clientSecret,
          redirectUris: [options.redirectUri ?? REDIRECT_URI],
          apiBaseUrl: options.notionUrl,
          issuer: options.issuer,
          encryptionKeys: [{ id: 'k1', key: options.encryptionKey ?? randomBytes(32).toString('base64') }],
          ...(options.databaseUrl === undefined
            ? { databaseFile: join(folder, 'notion-auth.sqlite') }
            : { databaseUrl: options.databaseUrl, runMigrations: true }),
          connect: { defaultReturnTo: '/home', ...options.connect },
          refresh: options.refresh,
          routes: options.controller === undefined ? (options.routes ?? 'notion') : false,
          resolveOwner: options.resolveOwner ?? sessionUser,
        }),
      ],
      controllers: options.controller === undefined ? [] : [options.controller],
    }).compile();
    const nest = testing.createNestApplication();
    nest.useLogger(
      recorderInto((line) => {
        ConnectApp.log.push(line);
        ConnectApp.logged.emit('line', line);
      }),
    );
    await nest.listen(0, '127.0.0.1');
    return new ConnectApp(nest, folder, options.folder === undefined);
  }

  get url(): string {
    const { port } = (this.nest.getHttpServer() as { address(): { port: number } }).address();
    return `http://127.0.0.1:${port}`;
  }

  get connect(): NotionConnectService {
    return this.nest.get(NotionConnectService);
  }

  get tokens(): NotionTokenService {
    return this.nest.get(NotionTokenService);
  }

  /** Runs one statement on the application's database, past the application. */
  async sql(statement: string): Promise<readonly Record<string, unknown>[]> {
    const database = new sqlite3.Database(join(this.folder, 'notion-auth.sqlite'));
    database.configure('busyTimeout', 5_000);
    try {
      return await new Promise((resolve, reject) => {
        database.all<Record<string, unknown>>(statement, (error, rows) => {
          if (error) reject(error);
          else resolve(rows);
        });
      });
    } finally {
      await new Promise((resolve) => {
        database.close(resolve);
      });
    }
  }

  /** Every byte that the application keeps. */
  stored(): string {
    return readdirSync(this.folder)
      .map((name) => readFileSync(join(this.folder, name), 'latin1'))
      .join('\n');
  }

  async close(): Promise<void> {
    await this.nest.close();
    if (this.ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The application's own sign-in, as far as a test needs one. */
function sessionUser(request: { headers: Record<string, string | undefined> }): string | undefined {
  return request.headers['x-session-user'];
}

function recorderInto(write: (line: string) => void): LoggerService {
  const recordAs =
    (level: string) =>
    (...message: unknown[]) => {
      write([level, ...message.map(String)].join(' '));
    };
  return {
    log: recordAs('log'),
    error: recordAs('error'),
    warn: recordAs('warn'),
    debug: recordAs('debug'),
    verbose: recordAs('verbose'),
    fatal: recordAs('fatal'),
  };
}
