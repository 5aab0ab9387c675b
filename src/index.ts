// The module and its configuration
export { NotionAuthModule } from './notion-auth.module.js';
export { notionAuthConfig } from './config/notion-auth.env.js';
export type {
  ClientSecretSource,
  ConnectOptions,
  EventOptions,
  HealthOptions,
  DatabaseTlsOptions,
  NotionAuthOptions,
  OutboundOptions,
  RefreshOptions,
  RevocationOptions,
  WebhookOptions,
} from './config/notion-auth.options.js';
export type { AuthorizationResolver, NotionAuthWiring, OwnerResolver } from './config/notion-auth.wiring.js';
export { EnvironmentKeyProvider, FileKeyProvider } from './config/key-providers.js';
export { KeyProvider, type EncryptionKeyOption } from './domain/key-provider.js';
export { generateEncryptionKey } from './encryption/generate-key.js';
export {
  NotionKeyRotation,
  type KeyRotationOptions,
  type KeyRotationReport,
  type KeyUsage,
} from './encryption/notion-key.rotation.js';

// Connecting
export {
  NotionConnectService,
  type ConnectDeparture,
  type ConnectStart,
  type DisconnectOutcome,
} from './connect/notion-connect.service.js';
export type { CompletedConnect } from './connect/code-exchange.js';
export { NotionCallbackGuard } from './connect/notion-callback.guard.js';
export { NotionConnectFilter } from './connect/notion-connect.filter.js';
export { NotionCallback, VerifiedCallback } from './connect/verified-callback.js';

// Tokens
export { NotionTokenService, type GetAccessTokenOptions } from './refresh/notion-token.service.js';
export { NotionRefreshService, type RefreshRequest } from './refresh/notion-refresh.service.js';
export { NotionRefreshSweep, type SweepOptions } from './refresh/refresh.sweep.js';
export type { SweepReport } from './refresh/sweep-report.js';
export { AccessToken, Secret } from './domain/secret.js';
export type { NotionFailure, RefreshOutcome, RefreshTrigger } from './domain/refresh-outcome.js';
export type {
  Authorization,
  AuthorizationId,
  AuthorizationStatus,
  NotionGrant,
  NotionOwnerKind,
  ReconnectReason,
} from './domain/authorization.js';

// Calling Notion
export {
  NotionClientFactory,
  type NotionClientOptions,
  type NotionFetch,
} from './outbound/notion-client.factory.js';
export { NotionTokenInterceptor } from './outbound/notion-token.interceptor.js';
export { NotionAuthorization, NotionSdk } from './outbound/notion.decorators.js';
export { NotionContext, type NotionRequest } from './outbound/notion-context.js';
export { NotionScope } from './outbound/notion.scope.js';
export { NotionAuthExceptionFilter } from './outbound/notion-auth-exception.filter.js';

// Notion's webhooks
export { NotionWebhook } from './webhooks/notion-webhook.decorator.js';
export { NotionWebhookGuard } from './webhooks/notion-webhook.guard.js';
export { NotionWebhookPairing } from './webhooks/notion-webhook.pairing.js';
export { NotionDelivery, type NotionWebhookDelivery } from './webhooks/webhook.delivery.js';
export type { NotionWebhookEvent } from './webhooks/webhook-event.js';
export type { LinkedAuthorization } from './domain/webhook-audience.js';

// What happens to authorizations
export { OnNotionAuth } from './events/on-notion-auth.decorator.js';
export type { NotionAuthEvent, NotionEventName } from './domain/notion-event.js';

// Where authorizations are kept: for the application's own DataSource, and for the TypeORM command line
export { createOwnDataSource, ownDataSourceOptions } from './storage/own-data-source.js';
export { notionAuthEntities, notionAuthMigrations } from './storage/storage-schema.js';

// Parts that an application can replace or extend, through the option `providers`
export {
  AuthorizationDirectory,
  type DirectoryPlace,
  type DirectoryQuery,
  type DirectorySearch,
  type JournaledAttempt,
} from './domain/authorization-directory.js';
export { AuthorizationStore } from './domain/authorization-store.js';
export type {
  AttemptEnding,
  Claim,
  ClaimRequest,
  ClaimResult,
  Settlement,
  SettleVerdict,
  StoreVerdict,
} from './domain/authorization-store.js';
export { NOTION_AUTH_CONFIG, type NotionAuthConfig } from './config/notion-auth.options.js';
export { Clock, SystemClock } from './domain/clock.js';
export { NoMetrics, NotionMetrics, type GaugeReader, type GaugeValue } from './domain/notion-metrics.js';
export { NoTracing, NotionTracing } from './domain/notion-tracing.js';
export type { SpanFacts, SpanName, SpanNotes } from './domain/notion-tracing.js';
export type { CounterLabels, CounterName, HistogramLabels, HistogramName } from './domain/instruments.js';
export { NotionOAuth } from './domain/notion-oauth.js';
export type { ExchangeAnswer, IntrospectionAnswer, RefreshAnswer } from './domain/notion-oauth.js';
export {
  EventOutbox,
  type ClaimedEvent,
  type EventClaimQuery,
  type NoticedEvent,
} from './domain/event-outbox.js';
export {
  RevocationOutbox,
  type ClaimedRevocations,
  type PendingRevocation,
  type RevocationLimits,
} from './domain/revocation-outbox.js';
export { NoPairJournal, PairJournal, type JournalReceipt } from './domain/pair-journal.js';
export type { RetainedChange, RetainedPair } from './domain/retained-change.js';
export { TokenCipher, type SealContext } from './domain/token-cipher.js';
export { KeyRingCipher } from './encryption/key-ring.cipher.js';
export { FilePairJournal, type FilePairJournalOptions } from './journal/file-pair.journal.js';
export { NotionOAuthClient } from './notion/notion-oauth.client.js';
export { TypeOrmEventOutbox } from './storage/typeorm-event.outbox.js';
export { TypeOrmAuthorizationStore } from './storage/typeorm-authorization.store.js';
export type { TokenPair } from './domain/authorization.js';

// Errors
export {
  NOTION_AUTH_ERROR_CODES,
  NotionAmbiguousAuthorizationError,
  NotionAuthError,
  NotionAuthorizationNotFoundError,
  NotionCallbackRefusedError,
  NotionConfigError,
  NotionConnectDeniedError,
  NotionConnectFailedError,
  NotionKeyError,
  NotionOtherGrantError,
  NotionOwnerInvalidError,
  NotionOwnerRequiredError,
  NotionReconnectRequiredError,
  NotionRefreshBusyError,
  NotionRefreshFailedError,
  NotionRequestRefusedError,
  NotionStorageUnsupportedError,
  NotionStoreUnavailableError,
  NotionWebhookRefusedError,
  type NotionAuthErrorCode,
} from './domain/errors.js';

// What an error means
export { diagnose } from './diagnosis/diagnose.js';
export type { Diagnosis, DiagnosisFamily, DiagnosisStage } from './diagnosis/diagnosis.js';
