import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import type { Secret } from '../domain/secret.js';
import { WebhookTokens, type WebhookTokensReading } from '../domain/webhook-tokens.js';

/** A flood of forged deliveries reads the database this seldom. */
const LOOK_AGAIN_MS = SECOND_MS;

/** The verification tokens that count: the configured ones, and those that pairing stored on any replica. */
@Injectable()
export class KnownTokens {
  private reading: Promise<WebhookTokensReading> | undefined;
  private readAtMs = -Infinity;

  constructor(
    @Inject(NOTION_AUTH_CONFIG) private readonly config: NotionAuthConfig,
    private readonly stored: WebhookTokens,
    private readonly clock: Clock,
  ) {}

  /** The first token for which it holds; those that were stored lately by others are asked too. */
  async find(holds: (token: Secret) => boolean): Promise<Secret | null> {
    const configured = this.config.webhooks.verificationTokens.find(holds);
    if (configured !== undefined) return configured;
    const known = this.reading === undefined ? undefined : (await this.reading).tokens.find(holds);
    return known ?? (await this.readLately()).tokens.find(holds) ?? null;
  }

  async hasAny(): Promise<boolean> {
    return this.config.webhooks.verificationTokens.length > 0 || (await this.readLately()).tokens.length > 0;
  }

  async isOpen(): Promise<boolean> {
    return (await this.readLately()).isOpen;
  }

  /** This process has changed what is stored. */
  forget(): void {
    this.readAtMs = -Infinity;
  }

  private async readLately(): Promise<WebhookTokensReading> {
    const nowMs = this.clock.monotonicMs();
    if (this.reading === undefined || nowMs - this.readAtMs >= LOOK_AGAIN_MS) {
      this.readAtMs = nowMs;
      const reading = this.stored.read();
      this.reading = reading;
      reading.catch(() => {
        if (this.reading === reading) this.reading = undefined;
      });
    }
    return this.reading;
  }
}
