import { createHmac } from 'node:crypto';
import type { Randomness } from './randomness.js';

/** What an event says that a test cares about; the rest is made up. */
export interface WebhookEventChoice {
  /** @defaultValue another one each time */
  readonly id?: string;
  /** @defaultValue `page.content_updated` */
  readonly type?: string;
  readonly workspaceId?: string;
  /** Bots that may see what it happened to. */
  readonly botIds?: readonly string[];
  /** @defaultValue `1` */
  readonly attempt?: number;
  /** More fields, or others in place of these, as Notion names them. */
  readonly body?: Readonly<Record<string, unknown>>;
}

export interface WebhookReceipt {
  readonly status: number;
  readonly text: string;
  readonly tookMs: number;
}

/** A webhook subscription of the connection: signs as Notion does, and delivers over HTTP. */
export class WebhookSubscription {
  private token: string;

  constructor(
    readonly url: string,
    private readonly randomness: Randomness,
    private readonly integrationId: string,
  ) {
    this.token = this.newToken();
  }

  /** What Notion's portal shows, and wants to be told. */
  get verificationToken(): string {
    return this.token;
  }

  /** Sends the verification token, as Notion does once when the subscription is made. */
  pair(): Promise<WebhookReceipt> {
    return this.post(JSON.stringify({ verification_token: this.token }));
  }

  /** From now on events are signed with another token. */
  rotate(): string {
    this.token = this.newToken();
    return this.token;
  }

  deliver(choice: WebhookEventChoice = {}): Promise<WebhookReceipt> {
    return this.post(JSON.stringify(this.eventOf(choice)));
  }

  /** The bytes and the header of a delivery, for tests that spoil them. */
  sign(body: string | Uint8Array): { readonly body: string | Uint8Array; readonly signature: string } {
    const digest = createHmac('sha256', this.token).update(body).digest('hex');
    return { body, signature: `sha256=${digest}` };
  }

  eventOf({
    id,
    type = 'page.content_updated',
    workspaceId,
    botIds,
    attempt = 1,
    body,
  }: WebhookEventChoice): Readonly<Record<string, unknown>> {
    return {
      id: id ?? this.randomness.uuid(),
      timestamp: new Date().toISOString(),
      workspace_id: workspaceId ?? this.randomness.uuid(),
      workspace_name: 'A workspace',
      subscription_id: this.randomness.uuid(),
      integration_id: this.integrationId,
      authors: [{ id: this.randomness.uuid(), type: 'person' }],
      accessible_by: (botIds ?? []).flatMap((botId) => [
        { id: botId, type: 'bot' },
        { id: this.randomness.uuid(), type: 'person' },
      ]),
      attempt_number: attempt,
      api_version: '2026-03-11',
      entity: { id: this.randomness.uuid(), type: 'page' },
      type,
      data: { updated_blocks: [] },
      ...body,
    };
  }

  private async post(body: string): Promise<WebhookReceipt> {
    const { signature } = this.sign(body);
    const begunAtMs = performance.now();
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-notion-signature': signature },
      body,
    });
    const text = await response.text();
    return { status: response.status, text, tookMs: performance.now() - begunAtMs };
  }

  private newToken(): string {
    return `secret_${this.randomness.letters(43)}`;
  }
}
