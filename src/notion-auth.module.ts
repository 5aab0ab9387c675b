import type { ServerResponse } from 'node:http';
import {
  Inject,
  Module,
  type DynamicModule,
  type MiddlewareConsumer,
  type NestModule,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { UpstreamConnector } from './config/upstream.connector.js';
import { CallbackRouteExplorer } from './config/callback-route.explorer.js';
import { MountedCallbackCheck } from './config/mounted-callback.check.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from './config/notion-auth.options.js';
import { NOTION_AUTH_WIRING, type NotionAuthWiring } from './config/notion-auth.wiring.js';
import { OwnerGate } from './config/owner.gate.js';
import { ConnectLog } from './connect/connect-log.js';
import type { ConnectRequest } from './connect/connect-request.js';
import { connectControllerFor } from './connect/connect.controller.js';
import { connectExports, connectProviders } from './connect/connect.providers.js';
import { AttemptHistory } from './domain/attempt-history.js';
import { AttemptStatistics } from './domain/attempt-statistics.js';
import { AuthorizationDirectory } from './domain/authorization-directory.js';
import { AuthorizationStore } from './domain/authorization-store.js';
import { Clock } from './domain/clock.js';
import { ConnectStateStore } from './domain/connect-state-store.js';
import { DatabaseWatch } from './domain/database-watch.js';
import { NotionConfigError } from './domain/errors.js';
import { EventOutbox } from './domain/event-outbox.js';
import { FleetReadings } from './domain/fleet-readings.js';
import { NoMetrics, NotionMetrics } from './domain/notion-metrics.js';
import { NotionOAuth } from './domain/notion-oauth.js';
import { NoTracing, NotionTracing } from './domain/notion-tracing.js';
import { NoPairJournal, PairJournal } from './domain/pair-journal.js';
import { RateBudget } from './domain/rate-budget.js';
import { RevocationOutbox } from './domain/revocation-outbox.js';
import { SealedSecrets } from './domain/sealed-secrets.js';
import { TokenCipher } from './domain/token-cipher.js';
import { WebhookAudience } from './domain/webhook-audience.js';
import { WebhookDeliveries } from './domain/webhook-deliveries.js';
import { WebhookTokens } from './domain/webhook-tokens.js';
import { KeyRingCheck } from './encryption/key-ring.check.js';
import { KeyRingCipher } from './encryption/key-ring.cipher.js';
import { NotionKeyRotation } from './encryption/notion-key.rotation.js';
import { EventDelivery } from './events/event.delivery.js';
import { EventListeners } from './events/event.listeners.js';
import { ExpiredRowsPruner } from './events/expired-rows.pruner.js';
import { FilePairJournal } from './journal/file-pair.journal.js';
import { NotionAuthConfigModule } from './notion-auth-config.module.js';
import { wiringOf, type ASYNC_OPTIONS_TYPE, type OPTIONS_TYPE } from './notion-auth.module-definition.js';
import { wireDatabase } from './notion-database.provider.js';
import { ClientSecrets } from './notion/client-secrets.js';
import { NotionOAuthClient } from './notion/notion-oauth.client.js';
import { OAuthTransport } from './notion/oauth.transport.js';
import { AuthorizedCalls } from './outbound/authorized-calls.js';
import { CallMeter } from './outbound/call.meter.js';
import { NotionClientFactory } from './outbound/notion-client.factory.js';
import { NotionHttpPool } from './outbound/notion-http.pool.js';
import { NotionScope } from './outbound/notion.scope.js';
import { AccessTokenCache } from './refresh/access-token.cache.js';
import { AuthorizationWatch } from './refresh/authorization.watch.js';
import { ClaimSpender } from './refresh/claim.spender.js';
import { GrantKeeper } from './refresh/grant.keeper.js';
import { MassRevocationProbe } from './refresh/mass-revocation.probe.js';
import { NotionRefreshService } from './refresh/notion-refresh.service.js';
import { NotionTokenService } from './refresh/notion-token.service.js';
import { OwnAttempts } from './refresh/own-attempts.js';
import { PairCustody } from './refresh/pair.custody.js';
import { PairKeeper } from './refresh/pair.keeper.js';
import { UnknownOutcomeRecovery } from './refresh/recovery.js';
import { RecentFailures } from './refresh/recent-failures.js';
import { RefreshGauges } from './refresh/refresh.gauges.js';
import { RefreshMeter } from './refresh/refresh.meter.js';
import { ReplicaHealth } from './refresh/replica.health.js';
import { RefreshShutdown } from './refresh/refresh.shutdown.js';
import { RevocationSender } from './refresh/revocation.sender.js';
import { RollForward } from './refresh/roll-forward.js';
import { StallWatch } from './refresh/stall.watch.js';
import { NotionRefreshSweep } from './refresh/refresh.sweep.js';
import { RefreshScheduleCheck } from './schedule/refresh-schedule.check.js';
import { TypeOrmAuthorizationDirectory } from './storage/typeorm-authorization.directory.js';
import { TypeOrmAttemptHistory } from './storage/typeorm-attempt.history.js';
import { TypeOrmAttemptStatistics } from './storage/typeorm-attempt.statistics.js';
import { TypeOrmAuthorizationStore } from './storage/typeorm-authorization.store.js';
import { TypeOrmDatabaseWatch } from './storage/typeorm-database.watch.js';
import { TypeOrmEventOutbox } from './storage/typeorm-event.outbox.js';
import { TypeOrmSealedSecrets } from './storage/typeorm-sealed.secrets.js';
import { TypeOrmFleetReadings } from './storage/typeorm-fleet.readings.js';
import { TypeOrmRateBudget } from './storage/typeorm-rate.budget.js';
import { TypeOrmRevocationOutbox } from './storage/typeorm-revocation.outbox.js';
import { TypeOrmConnectStateStore } from './storage/typeorm-connect-state.store.js';
import { TypeOrmWebhookAudience } from './storage/typeorm-webhook.audience.js';
import { TypeOrmWebhookDeliveries } from './storage/typeorm-webhook.deliveries.js';
import { TypeOrmWebhookTokens } from './storage/typeorm-webhook.tokens.js';
import { webhookExports, webhookProviders } from './webhooks/webhook.providers.js';

/** Who answers what. */
const PROVIDERS: Provider[] = [
  { provide: AuthorizationStore, useClass: TypeOrmAuthorizationStore },
  { provide: AuthorizationDirectory, useClass: TypeOrmAuthorizationDirectory },
  { provide: ConnectStateStore, useClass: TypeOrmConnectStateStore },
  { provide: AttemptHistory, useClass: TypeOrmAttemptHistory },
  { provide: AttemptStatistics, useClass: TypeOrmAttemptStatistics },
  { provide: FleetReadings, useClass: TypeOrmFleetReadings },
  { provide: TokenCipher, useClass: KeyRingCipher },
  { provide: SealedSecrets, useClass: TypeOrmSealedSecrets },
  { provide: NotionOAuth, useClass: NotionOAuthClient },
  { provide: DatabaseWatch, useClass: TypeOrmDatabaseWatch },
  { provide: RateBudget, useClass: TypeOrmRateBudget },
  { provide: RevocationOutbox, useClass: TypeOrmRevocationOutbox },
  { provide: EventOutbox, useClass: TypeOrmEventOutbox },
  { provide: WebhookTokens, useClass: TypeOrmWebhookTokens },
  { provide: WebhookDeliveries, useClass: TypeOrmWebhookDeliveries },
  { provide: WebhookAudience, useClass: TypeOrmWebhookAudience },
  {
    provide: PairJournal,
    useFactory: pairJournal,
    inject: [NOTION_AUTH_CONFIG, TokenCipher, Clock],
  },
  { provide: NotionMetrics, useClass: NoMetrics },
  { provide: NotionTracing, useClass: NoTracing },
  UpstreamConnector,
  OAuthTransport,
  ClientSecrets,
  AccessTokenCache,
  OwnAttempts,
  RefreshMeter,
  RefreshGauges,
  AuthorizationWatch,
  RecentFailures,
  StallWatch,
  PairCustody,
  PairKeeper,
  GrantKeeper,
  RevocationSender,
  RollForward,
  MassRevocationProbe,
  RefreshShutdown,
  ReplicaHealth,
  ClaimSpender,
  UnknownOutcomeRecovery,
  NotionTokenService,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionKeyRotation,
  KeyRingCheck,
  OwnerGate,
  ...connectProviders,
  ...webhookProviders,
  EventListeners,
  EventDelivery,
  ExpiredRowsPruner,
  RefreshScheduleCheck,
  NotionHttpPool,
  CallMeter,
  AuthorizedCalls,
  NotionClientFactory,
  NotionScope,
  CallbackRouteExplorer,
  MountedCallbackCheck,
];

/** What applications inject, and what the guard, the interceptor and the other entry points need to be made. */
const EXPORTS = [
  NotionTokenService,
  NotionRefreshService,
  NotionRefreshSweep,
  NotionKeyRotation,
  NotionClientFactory,
  NotionScope,
  OwnerGate,
  ...connectExports,
  ...webhookExports,
  WebhookDeliveries,
  WebhookAudience,
  AuthorizationStore,
  AuthorizationDirectory,
  AttemptHistory,
  FleetReadings,
  ReplicaHealth,
  RecentFailures,
  TokenCipher,
  NotionAuthConfigModule,
];

const TWO_GLOBALS =
  'NotionAuthModule is registered globally more than once in this application; register it once, and replace or add ' +
  'parts through its option `providers`. For two Notion clients, pass `isGlobal: false` to both registrations, each ' +
  'in the feature module that uses it';

/**
 * The life of an application's Notion authorizations: connecting, keeping, refreshing, calling.
 *
 * @example
 * ```ts
 * NotionAuthModule.forRootAsync({
 *   ...notionAuthConfig.asProvider(),
 *   resolveOwner: (request: Request) => request.user?.id,
 * })
 * ```
 */
@Module({})
export class NotionAuthModule implements NestModule {
  /** @throws {@link NotionConfigError} when this is not the application's only global registration. */
  constructor(
    modules: ModulesContainer,
    @Inject(NOTION_AUTH_WIRING) private readonly wiring: NotionAuthWiring,
    private readonly connectLog: ConnectLog,
  ) {
    const registrations = [...modules.values()].filter(({ metatype }) => metatype === NotionAuthModule);
    // Where two are global, Nest injects the services of either, and nothing says of which.
    if (registrations.filter(({ isGlobal }) => isGlobal).length > 1)
      throw new NotionConfigError([TWO_GLOBALS]);
  }

  configure(consumer: MiddlewareConsumer): void {
    const { routes } = this.wiring;
    if (typeof routes !== 'string') return;
    const watch = (request: ConnectRequest, response: ServerResponse, next: () => void): void => {
      this.connectLog.watchResponse(request, response);
      next();
    };
    consumer.apply(watch).forRoutes(`${routes}/connect`, `${routes}/callback`);
  }

  /** @throws {@link NotionConfigError} while the application starts, naming every problem at once. */
  static forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return assemble(NotionAuthConfigModule.forRoot(options), wiringOf(options));
  }

  /** @throws {@link NotionConfigError} while the application starts, naming every problem at once. */
  static forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return assemble(NotionAuthConfigModule.forRootAsync(options), wiringOf(options));
  }
}

function pairJournal(config: NotionAuthConfig, cipher: TokenCipher, clock: Clock): PairJournal {
  const folder = config.refresh.journalFolder;
  return folder === null ? new NoPairJournal() : new FilePairJournal({ folder, config, cipher, clock });
}

function assemble(configModule: DynamicModule, wiring: NotionAuthWiring): DynamicModule {
  const database = wireDatabase(wiring, configModule);
  return {
    module: NotionAuthModule,
    global: wiring.isGlobal ?? true,
    imports: [configModule, ...database.imports],
    providers: [database.provider, ...PROVIDERS, ...(wiring.providers ?? [])],
    controllers:
      typeof wiring.routes === 'string' ? [connectControllerFor(wiring.routes, wiring.routeMetadata)] : [],
    exports: EXPORTS,
  };
}
