import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import { throwError } from 'rxjs';
import { NotionConfigError, type NotionAuthError } from '../domain/errors.js';

/**
 * The HTTP request that a guard, an interceptor or a parameter decorator works on. In every other context the first
 * argument is what a remote caller sent: read as a request, it could name any owner.
 *
 * @param part - What asks, as the application's developer knows it.
 * @throws {@link NotionConfigError} in a context of another type than `http`, naming the handler and the alternative.
 */
export function requestOf(context: ExecutionContext, part: string): object {
  const type = context.getType<string>();
  if (type === 'http') return context.switchToHttp().getRequest<object>();
  throw new NotionConfigError([
    `${part} on ${handlerOf(context)} needs an HTTP request, and the handler has the context type "${type}"; ` +
      'remove it there, and call Notion through NotionClientFactory with an authorization id that you have checked',
  ]);
}

/** The handler as `Class.method`. */
export function handlerOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}

/**
 * What an exception filter does with an error outside of HTTP. Nest lets nothing catch what a filter throws for a
 * message or a socket, and the process would end; both callers get the same three fields. Other contexts, as those of
 * GraphQL, have a caller that takes the error.
 */
export function passOn(error: NotionAuthError, host: ArgumentsHost): unknown {
  const payload = { status: 'error', code: error.code, message: error.message };
  const type = host.getType<string>();
  if (type === 'rpc') return throwError(() => payload);
  if (type !== 'ws') throw error;
  emitException(host.switchToWs().getClient<SocketClient>(), payload);
  return undefined;
}

interface SocketClient {
  readonly readyState?: unknown;
  send?(text: string): void;
  emit?(event: string, payload: unknown): void;
}

/** As Nest's own filter does: a `WebSocket` also has `emit`, which reaches only its own process. */
function emitException(client: SocketClient, payload: object): void {
  if (typeof client.readyState === 'number')
    client.send?.(JSON.stringify({ event: 'exception', data: payload }));
  else client.emit?.('exception', payload);
}
