import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import {
  NotionOAuth,
  type ClassifiedFailure,
  type ExchangeAnswer,
  type IntrospectionAnswer,
  type RefreshAnswer,
  type TokenRequestLimits,
} from '../domain/notion-oauth.js';
import { Secret } from '../domain/secret.js';
import { classifyErrorCode, classifyRefusal } from './classify-answer.js';
import { ClientSecrets } from './client-secrets.js';
import { isErrorBody, parseOAuthError, parseRequestId } from './oauth-error.schema.js';
import { OAuthTransport, type OAuthReply, type OAuthRequest } from './oauth.transport.js';
import { parseRetryAfter } from './retry-after.js';
import { parseGrant, parseTokens } from './token-answer.schema.js';

const INTROSPECT_LIMITS: TokenRequestLimits = { timeoutMs: 10 * SECOND_MS };
const REVOKE_LIMITS: TokenRequestLimits = { timeoutMs: 10 * SECOND_MS };
/** A request with less of its time than this would only become one of unknown outcome. */
const LEAST_SHARE_OF_TIME = 0.25;

const introspection = z.object({ active: z.boolean(), scope: z.string().max(4_096).nullish().catch(null) });

type RequestLimits = TokenRequestLimits & Pick<OAuthRequest, 'isStillWanted'>;
type Answered = Extract<OAuthReply, { kind: 'answered' }>;
interface SuccessStatus {
  readonly kind: 'answered';
  readonly body: unknown;
  readonly requestId?: string;
}
type Verdict = SuccessStatus | ClassifiedFailure;

/** Notion's OAuth endpoints over HTTP. The only place that knows their wire names. */
@Injectable()
export class NotionOAuthClient extends NotionOAuth {
  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly transport: OAuthTransport,
    private readonly clock: Clock,
    private readonly secrets: ClientSecrets,
  ) {
    super();
  }

  override authorizeUrl(parameters: { readonly state: string; readonly redirectUri: string }): string {
    const url = new URL('/v1/oauth/authorize', this.config.apiBaseUrl);
    url.search = new URLSearchParams({
      client_id: this.config.clientId,
      response_type: 'code',
      owner: 'user',
      redirect_uri: parameters.redirectUri,
      state: parameters.state,
    }).toString();
    return url.href;
  }

  override async exchange(code: Secret, redirectUri: string): Promise<ExchangeAnswer> {
    const body = { grant_type: 'authorization_code', code: code.reveal(), redirect_uri: redirectUri };
    const limits = { timeoutMs: this.config.connect.exchangeTimeoutMs };
    const verdict = await this.ask('/v1/oauth/token', body, limits);
    if (verdict.kind !== 'answered') return verdict;
    if (isErrorBody(verdict.body)) return errorIn(verdict);
    const tokens = parseTokens(verdict.body);
    const grant = parseGrant(verdict.body);
    return tokens && grant ? { kind: 'success', ...tokens, grant } : malformed(verdict.requestId);
  }

  override async refresh(refreshToken: Secret, limits: TokenRequestLimits): Promise<RefreshAnswer> {
    const body = { grant_type: 'refresh_token', refresh_token: refreshToken.reveal() };
    const verdict = await this.ask('/v1/oauth/token', body, limits);
    if (verdict.kind !== 'answered') return verdict;
    const tokens = parseTokens(verdict.body);
    return tokens ? { kind: 'success', ...tokens } : malformed(verdict.requestId);
  }

  override async introspect(token: Secret): Promise<IntrospectionAnswer> {
    const verdict = await this.ask('/v1/oauth/introspect', { token: token.reveal() }, INTROSPECT_LIMITS);
    if (verdict.kind === 'dead') return { kind: 'inactive' };
    if (verdict.kind !== 'answered') return { kind: 'useless', failure: verdict.failure };
    const parsed = introspection.safeParse(verdict.body);
    if (!parsed.success) return { kind: 'useless', failure: malformed(verdict.requestId).failure };
    return parsed.data.active ? { kind: 'active', scopes: parsed.data.scope ?? null } : { kind: 'inactive' };
  }

  override async revoke(token: Secret, isStillWanted?: () => Promise<boolean>): Promise<boolean> {
    const limits = { ...REVOKE_LIMITS, isStillWanted };
    const verdict = await this.ask('/v1/oauth/revoke', { token: token.reveal() }, limits);
    return verdict.kind === 'answered' || verdict.kind === 'dead';
  }

  /**
   * One request; a further one, with another client secret, only when Notion refused the client itself, and then
   * nothing was spent. All of them share the time that one may take: a claim must outlast them.
   */
  private async ask(path: string, body: object, limits: RequestLimits): Promise<Verdict> {
    const { timeoutMs } = limits;
    const endsAtMs = this.clock.monotonicMs() + timeoutMs;
    const first = this.secrets.current;
    const verdict = await this.send(path, body, limits, first);
    if (!refusesClient(verdict)) return verdict;
    for (const other of await this.secrets.othersThan(first)) {
      const leftMs = endsAtMs - this.clock.monotonicMs();
      if (leftMs < timeoutMs * LEAST_SHARE_OF_TIME) break;
      const next = await this.send(path, body, { ...limits, timeoutMs: leftMs }, other);
      if (refusesClient(next)) continue;
      if (next.kind === 'answered' || next.kind === 'dead') this.secrets.accept(other);
      return next;
    }
    return verdict;
  }

  private async send(
    path: string,
    body: object,
    limits: RequestLimits,
    clientSecret: Secret,
  ): Promise<Verdict> {
    const reply = await this.transport.post({
      origin: this.config.apiBaseUrl,
      path,
      headers: this.headers(clientSecret),
      body: JSON.stringify(body),
      ...limits,
    });
    if (reply.kind === 'failed') {
      const { connected, code, proxy } = reply;
      return { kind: connected ? 'unknown' : 'not_sent', failure: { code, proxy } };
    }
    return this.judge(reply);
  }

  private judge(reply: Answered): Verdict {
    const requestIdHeader = parseRequestId(reply.headers['x-notion-request-id']);
    if (reply.status >= 200 && reply.status < 300) {
      return { kind: 'answered', body: reply.body, requestId: requestIdHeader };
    }
    const error = parseOAuthError(reply.body);
    return {
      kind: classifyRefusal(reply.status, error.code),
      failure: {
        status: reply.status,
        code: error.code,
        requestId: error.requestId ?? requestIdHeader,
        retryAfterMs: parseRetryAfter(reply.headers['retry-after'], this.clock.now()),
      },
    };
  }

  /** Basic as Notion's own SDK builds it: UTF-8, and no form encoding of the two halves. */
  private headers(clientSecret: Secret): Record<string, string> {
    const credentials = Buffer.from(`${this.config.clientId}:${clientSecret.reveal()}`, 'utf8').toString(
      'base64',
    );
    return {
      authorization: `Basic ${credentials}`,
      'content-type': 'application/json',
      accept: 'application/json',
      'notion-version': this.config.notionVersion,
      'user-agent': 'nestjs-notion-auth',
    };
  }
}

function refusesClient(verdict: Verdict): boolean {
  return verdict.kind === 'configuration' && verdict.failure.code === 'invalid_client';
}

/** An exchange that failed with a success status; tokens beside the error are not taken (B14). */
function errorIn({ body, requestId: header }: SuccessStatus): ClassifiedFailure {
  const { code = 'malformed_response', requestId = header } = parseOAuthError(body);
  return { kind: classifyErrorCode(code), failure: { status: 200, code, requestId } };
}

/** A 2xx that cannot be believed: Notion may have rotated all the same. */
function malformed(requestId: string | undefined): ClassifiedFailure {
  return { kind: 'unknown', failure: { status: 200, code: 'malformed_response', requestId } };
}
