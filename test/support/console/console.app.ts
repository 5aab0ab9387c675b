import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import {
  Injectable,
  Module,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { NotionAuthModule, NotionConnectService, Secret, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionAuthConsoleModule, type NotionAuthConsoleOptions } from 'nestjs-notion-auth/console';
import type { SimulatedAuthorization } from 'nestjs-notion-auth/testing';
import { AuthorizationStore } from '../../../src/domain/authorization-store.js';
import { NotionDatabase } from '../../../src/storage/notion-database.js';
import { REDIRECT_URI } from '../notion-app.js';

type Headers = Readonly<Record<string, string | undefined>>;

/** What the guard asks, so that Nest has something to inject into it. */
@Injectable()
export class Operators {
  includes(name: string | undefined): boolean {
    return name?.startsWith('operator') === true;
  }
}

@Module({ providers: [Operators], exports: [Operators] })
class OperatorsModule {}

@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(private readonly operators: Operators) {}

  canActivate(context: ExecutionContext): boolean {
    return this.operators.includes(
      context.switchToHttp().getRequest<{ headers: Headers }>().headers['x-user'],
    );
  }
}

export interface ConsoleAppOptions {
  readonly console?: Partial<NotionAuthConsoleOptions>;
  readonly globalPrefix?: string;
  readonly isFastify?: boolean;
}

/** An application whose operators have the console. */
export class ConsoleApp {
  /** Every line of every application: Nest has one logger for a process. */
  static readonly log: string[] = [];

  private constructor(readonly nest: INestApplication) {}

  static async start(options: NotionAuthOptions, about: ConsoleAppOptions = {}): Promise<ConsoleApp> {
    const testing = await Test.createTestingModule({
      imports: [
        NotionAuthModule.forRoot({
          ...options,
          resolveOwner: () => 'owner-1',
          ...(about.globalPrefix === undefined
            ? {}
            : { redirectUris: [`https://app.example/${about.globalPrefix}/notion/callback`] }),
        }),
        NotionAuthConsoleModule.forRoot({
          guard: OperatorGuard,
          imports: [OperatorsModule],
          actor: (request: { headers: Headers }) => request.headers['x-user'],
          ...about.console,
        }),
      ],
    })
      .setLogger(recorder())
      .compile();
    const nest =
      about.isFastify === true
        ? testing.createNestApplication(new FastifyAdapter())
        : testing.createNestApplication();
    nest.useLogger(recorder());
    if (about.globalPrefix !== undefined) nest.setGlobalPrefix(about.globalPrefix);
    await nest.listen(0, '127.0.0.1');
    return new ConsoleApp(nest);
  }

  get url(): string {
    const { port } = (this.nest.getHttpServer() as Server).address() as AddressInfo;
    return `http://127.0.0.1:${String(port)}`;
  }

  get connects(): NotionConnectService {
    return this.nest.get(NotionConnectService);
  }

  get database(): NotionDatabase {
    return this.nest.get(NotionDatabase);
  }

  /** A grant as a completed connect leaves it; another owner of the same grant is linked to it. */
  async keep(granted: SimulatedAuthorization, ownerId: string): Promise<string> {
    const kept = await this.nest.get(AuthorizationStore).connect({
      ownerId,
      clientId: granted.clientId,
      redirectUri: REDIRECT_URI,
      reconnect: null,
      grant: { ...granted, ownerKind: granted.ownerType },
      pair: {
        accessToken: new Secret(granted.accessToken),
        refreshToken: granted.refreshToken === null ? null : new Secret(granted.refreshToken),
        expiresInMs: null,
      },
    });
    if (!('authorization' in kept)) throw new Error('A new connection cannot be another grant.');
    return kept.authorization.id;
  }

  close(): Promise<void> {
    return this.nest.close();
  }
}

function recorder() {
  const record =
    (level: string) =>
    (message: unknown): void => {
      ConsoleApp.log.push(`${level} ${String(message)}`);
    };
  return {
    log: record('log'),
    warn: record('warn'),
    error: record('error'),
    debug: record('debug'),
    verbose: record('verbose'),
    fatal: record('fatal'),
  };
}
