import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import type { AuthorizationId } from '../domain/authorization.js';
import type { AccessToken } from '../domain/secret.js';

/** Access tokens in memory, bounded in number and age. Refresh tokens are never kept (rule R1). */
@Injectable()
export class AccessTokenCache implements OnModuleInit, OnModuleDestroy {
  private readonly tokens: LRUCache<AuthorizationId, AccessToken>;
  private readonly ttlMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(NOTION_AUTH_CONFIG) config: NotionAuthConfig) {
    this.ttlMs = config.outbound.tokenCacheTtlMs;
    this.tokens = new LRUCache({ max: config.outbound.tokenCacheSize, ttl: this.ttlMs });
  }

  /** A cache that nobody asks keeps what is past its time. */
  onModuleInit(): void {
    if (this.ttlMs > 0) this.timer = setInterval(() => this.tokens.purgeStale(), this.ttlMs).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Tokens in memory now. */
  get size(): number {
    return this.tokens.size;
  }

  get(id: AuthorizationId): AccessToken | undefined {
    return this.tokens.get(id);
  }

  /** Keeps `token` unless a later version is kept already; never beyond `usableForMs`. */
  put(token: AccessToken, usableForMs = Number.POSITIVE_INFINITY): void {
    const kept = this.tokens.get(token.authorizationId);
    if (kept !== undefined && kept.version > token.version) return;
    const ttl = Math.floor(Math.min(this.ttlMs, usableForMs));
    if (ttl > 0) this.tokens.set(token.authorizationId, token, { ttl });
  }

  forget(id: AuthorizationId): void {
    this.tokens.delete(id);
  }
}
