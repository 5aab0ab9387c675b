import { randomBytes } from 'node:crypto';
import {
  Injectable,
  Module,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
} from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import { NotionAuthModule, type NotionAuthOptions } from 'nestjs-notion-auth';
import { NotionAuthConsoleModule } from 'nestjs-notion-auth/console';
import type { DataSource } from 'typeorm';

export const CLIENT_ID = 'console-client';
export const KEY_ID = 'k1';

@Injectable()
class InsideGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    return headers['x-from-inside'] === 'yes';
  }
}

@Module({})
class SiteModule {}

/** An application with nothing but the module and the console. */
export class ConsoleSite {
  private constructor(
    private readonly nest: INestApplication,
    readonly url: string,
  ) {}

  static async start(
    database: Pick<NotionAuthOptions, 'databaseUrl' | 'databaseFile'>,
  ): Promise<ConsoleSite> {
    const nest = await NestFactory.create(
      {
        module: SiteModule,
        imports: [
          NotionAuthModule.forRoot({
            clientId: CLIENT_ID,
            clientSecret: randomBytes(24).toString('hex'),
            redirectUris: ['http://localhost:3000/notion/callback'],
            encryptionKeys: [{ id: KEY_ID, key: randomBytes(32).toString('base64') }],
            runMigrations: true,
            resolveOwner: () => 'owner-1',
            ...database,
          }),
          NotionAuthConsoleModule.forRoot({ guard: InsideGuard }),
        ],
      },
      { logger: ['error'], abortOnError: false },
    );
    await nest.listen(0, '127.0.0.1');
    return new ConsoleSite(nest, await nest.getUrl());
  }

  /** Past the application. */
  run(statement: string): Promise<unknown> {
    for (const module of this.nest.get(ModulesContainer).values()) {
      for (const { name, instance } of module.providers.values()) {
        if (name === 'NotionDatabase')
          return (instance as { dataSource: DataSource }).dataSource.query(statement);
      }
    }
    throw new Error('The module has no connection.');
  }

  async get(
    path: string,
  ): Promise<{ readonly status: number; readonly text: string; readonly tookMs: number }> {
    const askedAtMs = performance.now();
    const answer = await fetch(`${this.url}/notion/console${path}`, { headers: { 'x-from-inside': 'yes' } });
    const text = await answer.text();
    return { status: answer.status, text, tookMs: performance.now() - askedAtMs };
  }

  close(): Promise<void> {
    return this.nest.close();
  }
}
