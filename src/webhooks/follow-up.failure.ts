import { NotionAuthError } from '../domain/errors.js';
import type { LogFacts } from '../logging/log-line.js';

export interface FollowUpFailure {
  /**
   * `follow_up_refused`: Notion answered the handler's call, with a code. `follow_up_blocked`: the proxy at Notion's
   * edge did, with a page. `follow_up_unauthorized`: no live token could be had. `handler_failed`: anything else.
   */
  readonly kind: 'follow_up_refused' | 'follow_up_blocked' | 'follow_up_unauthorized' | 'handler_failed';
  /** What is known of it. */
  readonly facts: LogFacts;
}

/** What a handler that called Notion failed of. Reads codes and ids, never a message or a body. */
export function followUpFailureOf(error: unknown): FollowUpFailure {
  if (error instanceof NotionAuthError) {
    return { kind: 'follow_up_unauthorized', facts: factsOf({ code: error.code }) };
  }
  const { status, code, request_id: requestId, headers } = fieldsOf(error);
  if (typeof status !== 'number') return { kind: 'handler_failed', facts: factsOf({ error: nameOf(error) }) };
  const ray = headerOf(headers, 'cf-ray');
  if (typeof code === 'string' && code !== 'notionhq_client_response_error') {
    return { kind: 'follow_up_refused', facts: factsOf({ status, code, request: requestId, ray }) };
  }
  return { kind: 'follow_up_blocked', facts: factsOf({ status, ray }) };
}

function fieldsOf(error: unknown): Readonly<Record<string, unknown>> {
  return typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function headerOf(headers: unknown, name: string): unknown {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  return fieldsOf(headers)[name];
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && /^[\w.-]{1,100}$/.test(value));
}

/** Values from outside that could break a line, or be anything but an id, are left out. */
function factsOf(facts: Readonly<Record<string, unknown>>): LogFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => isPlain(value)));
}
