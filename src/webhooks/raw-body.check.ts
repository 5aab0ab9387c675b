import { Injectable, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { HttpAdapterHost, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { NotionConfigError } from '../domain/errors.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { NOTION_WEBHOOK_ROUTE } from './notion-webhook.guard.js';

/** The two ways in which Nest registers its body parsers; the second argument tells whether raw bytes are kept. */
const REGISTRATIONS = ['registerParserMiddleware', 'useBodyParser'] as const;

/** What an application's own parser does cannot be seen before a delivery comes. */
const OWN_PARSER =
  "a route takes webhooks, and Nest's body parser is off (bodyParser: false), so the option rawBody has no effect. The application's own parser must keep the raw bytes, as in express.json({ verify: (request, _response, bytes) => { request.rawBody = bytes; } }). Without them every delivery is rejected with 401 (no_raw_body)";

type Register = (first: unknown, rawBody?: unknown, ...rest: unknown[]) => unknown;
type Adapter = Partial<Record<(typeof REGISTRATIONS)[number], Register>>;
type Handler = (...parameters: never[]) => unknown;

/**
 * A signature is over the bytes that came, which Nest keeps only when it is told to. It tells nobody whether it was,
 * so this listens while the parsers are registered, and stops an application that could only refuse every webhook.
 */
@Injectable()
export class RawBodyCheck implements OnApplicationBootstrap {
  private readonly logger = new NotionLogger('NotionWebhook');
  private readonly scanner = new MetadataScanner();
  /** Unknown where the application brings a parser of its own. */
  private keepsRawBody: boolean | undefined;

  constructor(
    host: HttpAdapterHost,
    private readonly modules: ModulesContainer,
  ) {
    const listen = (): void => {
      for (const name of REGISTRATIONS) this.listenTo(host.httpAdapter as Adapter | undefined, name);
    };
    // A test module gets its adapter after its providers.
    if (host.httpAdapter as unknown) listen();
    else host.init$.subscribe(listen);
  }

  /** @throws {@link NotionConfigError} */
  onApplicationBootstrap(): void {
    if (this.keepsRawBody === true || !this.takesWebhooks()) return;
    if (this.keepsRawBody === undefined) {
      this.logger.warn(OWN_PARSER);
      return;
    }
    throw new NotionConfigError([
      'rawBody: a route takes webhooks, whose signatures are over the raw bytes; make the application with NestFactory.create(AppModule, { rawBody: true })',
    ]);
  }

  private listenTo(adapter: Adapter | undefined, name: (typeof REGISTRATIONS)[number]): void {
    const register = adapter?.[name];
    if (adapter === undefined || register === undefined) return;
    adapter[name] = (first, rawBody, ...rest) => {
      this.keepsRawBody = this.keepsRawBody === true || rawBody === true;
      return register.call(adapter, first, rawBody, ...rest);
    };
  }

  private takesWebhooks(): boolean {
    const controllers = [...this.modules.values()].flatMap((module) => [...module.controllers.values()]);
    return controllers.some(({ metatype }) => this.handlersOf(metatype as Type).some(takesWebhooks));
  }

  private handlersOf(controller: Type): object[] {
    const prototype = controller.prototype as Record<string, Handler>;
    return [controller, ...this.scanner.getAllMethodNames(prototype).map((name) => prototype[name]!)];
  }
}

function takesWebhooks(target: object): boolean {
  const guards = (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as object[];
  return [target, ...guards.map((guard) => (typeof guard === 'function' ? guard : guard.constructor))].some(
    (one) => Reflect.hasMetadata(NOTION_WEBHOOK_ROUTE, one),
  );
}
