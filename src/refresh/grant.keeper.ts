import { Injectable } from '@nestjs/common';
import { AuthorizationStore, type ConnectResult } from '../domain/authorization-store.js';
import type { AuthorizationId } from '../domain/authorization.js';
import type { ExchangedGrant } from '../domain/exchanged-grant.js';
import { NotionMetrics } from '../domain/notion-metrics.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { AccessTokenCache } from './access-token.cache.js';
import { AuthorizationWatch } from './authorization.watch.js';
import { PairCustody } from './pair.custody.js';
import { RevocationSender } from './revocation.sender.js';

/** Brings what a code was exchanged for into the database, at once or after a journal was replayed. */
@Injectable()
export class GrantKeeper {
  private readonly logger = new NotionLogger('NotionConnect');

  constructor(
    private readonly authorizations: AuthorizationStore,
    private readonly custody: PairCustody,
    private readonly revocations: RevocationSender,
    private readonly cache: AccessTokenCache,
    private readonly watch: AuthorizationWatch,
    private readonly metrics: NotionMetrics,
  ) {}

  /** May be repeated until it succeeds, by this process and by those that replay its journal. */
  async store(exchange: ExchangedGrant): Promise<ConnectResult> {
    const result = await this.authorizations.connect(exchange.connection);
    this.custody.exchangeStored(exchange, result.stored);
    if (result.stored !== null) this.changed(result.stored.authorizationId);
    if ('authorization' in result) this.completed(result.kind, result.authorization.id);
    else if (result.stored !== null) this.renewed(result.stored.authorizationId);
    else this.logger.log('late pair dropped', { stage: 'exchange' });
    if (result.kind === 'disconnected') await this.revocations.send(result.revocations);
    return result;
  }

  private changed(id: AuthorizationId): void {
    this.cache.forget(id);
    this.watch.statusChanged(id, 'active');
  }

  private completed(kind: 'connected' | 'reconnected', authorization: AuthorizationId): void {
    this.metrics.count('notion_auth_callbacks_total', { result: kind });
    this.logger.log('connect completed', { kind, authorization });
  }

  /** Its pair is stored although this connect linked no owner to it. */
  private renewed(authorization: AuthorizationId): void {
    this.logger.log('connect renewed', { stage: 'exchange', authorization });
  }
}
