import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CallbackRouteExplorer } from './callback-route.explorer.js';
import { judgeCallbackRoutes } from './callback-route.js';
import { ConfigFindings } from './config-findings.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from './notion-auth.options.js';
import { NotionLogger } from '../logging/notion.logger.js';

/** At startup: says what to register with Notion, and stops the application when Notion would not find it there. */
@Injectable()
export class MountedCallbackCheck implements OnApplicationBootstrap {
  private readonly logger = new NotionLogger('NotionAuth');

  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly routes: CallbackRouteExplorer,
    private readonly http: HttpAdapterHost,
  ) {}

  /** @throws {@link NotionConfigError} naming each redirect URI's path and the mounted callback paths. */
  onApplicationBootstrap(): void {
    for (const warning of this.config.warnings) this.logger.warn(warning);
    // A command line tool or a worker serves no routes at all.
    if (!servesHttp(this.http)) return;
    this.compareRoutes();
    for (const uri of this.config.redirectUris)
      this.logger.log(`Redirect URI to register with Notion: ${uri}`);
  }

  private compareRoutes(): void {
    const findings = new ConfigFindings();
    findings.add('redirectUris', judgeCallbackRoutes(this.config.redirectUris, this.routes.mountedPaths()));
    for (const warning of findings.warnings) this.logger.warn(warning);
    findings.throwIfAny();
  }
}

/** Nest has the host in every kind of application, and an adapter in it only where there is a server. */
function servesHttp(host: { readonly httpAdapter?: unknown }): boolean {
  return host.httpAdapter !== undefined && host.httpAdapter !== null;
}
