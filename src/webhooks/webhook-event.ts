import { z } from 'zod';
import { isNestedDeeper } from '../domain/json-nesting.js';

const MAX_BOTS = 10_000;
/** Far beyond anything that Notion sends. */
const MAX_DEPTH = 64;
const id = z.string().regex(/^[\w-]{1,64}$/);

const wireEvent = z.object({
  id,
  type: z.string().regex(/^[\w.]{1,100}$/),
  workspace_id: id,
  timestamp: z.iso.datetime({ offset: true }).nullish().catch(null),
  attempt_number: z.int().positive().nullish().catch(null),
  entity: z
    .object({ id, type: z.string().max(100) })
    .nullish()
    .catch(null),
  accessible_by: z
    .array(z.object({ id: z.string(), type: z.string() }).nullable().catch(null))
    .max(MAX_BOTS)
    .nullish()
    .catch(null),
  data: z.unknown().optional(),
});

const handshake = z.strictObject({ verification_token: z.string() });

/**
 * An event as Notion announces it: ids and no content, in no order, and possibly about something that the
 * authorizations it concerns can no longer see.
 * @see https://developers.notion.com/reference/webhooks-events-delivery
 */
export interface NotionWebhookEvent {
  readonly id: string;
  /** As in `page.content_updated`. No type of event concerns authorizations. */
  readonly type: string;
  readonly workspaceId: string;
  readonly happenedAt: Date | null;
  /** From 1 to 8; `null` when Notion does not say. */
  readonly attempt: number | null;
  /** What it happened to. */
  readonly entity: { readonly id: string; readonly type: string } | null;
  /** Bots that may see it: those of the authorizations that it is for. Empty for an internal connection. */
  readonly botIds: readonly string[];
  /** What Notion sends beside that, unchecked. */
  readonly data: unknown;
}

/** What a body says; anything else is `null`. */
export type WebhookMessage =
  | { readonly kind: 'event'; readonly event: NotionWebhookEvent }
  /** Nothing but a token: the first request of a new subscription. */
  | { readonly kind: 'handshake'; readonly token: string };

/** Reads a delivery's bytes. Never throws. */
export function parseWebhookMessage(body: Uint8Array): WebhookMessage | null {
  const json = parseJson(body);
  const asHandshake = handshake.safeParse(json);
  if (asHandshake.success) return { kind: 'handshake', token: asHandshake.data.verification_token };
  const asEvent = wireEvent.safeParse(json);
  return asEvent.success ? { kind: 'event', event: toEvent(asEvent.data) } : null;
}

function toEvent(wire: z.output<typeof wireEvent>): NotionWebhookEvent {
  const bots = wire.accessible_by?.flatMap((who) => (who?.type === 'bot' ? who.id : [])) ?? [];
  return {
    id: wire.id,
    type: wire.type,
    workspaceId: wire.workspace_id,
    happenedAt: wire.timestamp == null ? null : new Date(wire.timestamp),
    attempt: wire.attempt_number ?? null,
    entity: wire.entity ?? null,
    botIds: [...new Set(bots)],
    data: wire.data,
  };
}

function parseJson(body: Uint8Array): unknown {
  if (isNestedDeeper(body, MAX_DEPTH)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}
