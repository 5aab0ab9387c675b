import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CallbackRouteExplorer } from './callback-route.explorer.js';
import { judgeCallbackRoutes } from './callback-route.js';
import { ConfigFindings } from './config-findings.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from './notion-auth.options.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './notion-auth.wiring.js';
import { NotionLogger } from '../logging/notion.logger.js';

/** At startup: says what to register with Notion, and stops the application when Notion would not find it there. */
@Injectable()
export class MountedCallbackCheck implements OnApplicationBootstrap {
  private readonly logger = new NotionLogger('NotionAuth');

  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    @Inject(NOTION_AUTH_WIRING) private readonly wiring: Pick<NotionAuthWiring, 'servesCallback'>,
    private readonly routes: CallbackRouteExplorer,
    private readonly http: HttpAdapterHost,
  ) {}

  /** @throws {@link NotionConfigError} naming each redirect URI's path and the mounted callback paths, with the option to set. */
  onApplicationBootstrap(): void {
    for (const warning of this.config.warnings) this.logger.warn(warning);
    // A command line tool serves no routes at all, a worker perhaps those of its health check.
    if (!servesHttp(this.http) || this.wiring.servesCallback === false) return;
    this.compareRoutes();
    for (const uri of this.config.redirectUris)
      this.logger.log(`Redirect URI to register with Notion: ${uri}`);
  }

  private compareRoutes(): void {
    const findings = new ConfigFindings();
    findings.add('redirectUris', judgeCallbackRoutes(this.config, this.routes.mountedPaths()));
    for (const warning of findings.warnings) this.logger.warn(warning);
    findings.throwIfAny();
  }
}

/** Nest has the host in every kind of application, and an adapter in it only where there is a server. */
function servesHttp(host: { readonly httpAdapter?: unknown }): boolean {
  return host.httpAdapter !== undefined && host.httpAdapter !== null;
}
