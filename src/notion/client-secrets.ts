import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { SECOND_MS } from '../domain/duration.js';
import { Secret } from '../domain/secret.js';
import { NotionLogger } from '../logging/notion.logger.js';

/** A claim is held meanwhile; a vault that takes longer is asked again by a later attempt. */
const SOURCE_TIMEOUT_MS = 5 * SECOND_MS;

/** The client secrets that may be valid, and the one that Notion accepted last. */
@Injectable()
export class ClientSecrets {
  private readonly logger = new NotionLogger('NotionAuthModule');
  private accepted: Secret;
  private asking: Promise<Secret | null> | null = null;

  constructor(
    @Inject(NOTION_AUTH_CONFIG)
    private readonly config: Pick<
      NotionAuthConfig,
      'clientSecret' | 'clientSecretNext' | 'clientSecretSource'
    >,
  ) {
    this.accepted = config.clientSecret;
  }

  get current(): Secret {
    return this.accepted;
  }

  accept(secret: Secret): void {
    this.accepted = secret;
  }

  /** Those worth one try each after Notion refused `refused`: what the source says now, the coming one, the first. */
  async othersThan(refused: Secret): Promise<readonly Secret[]> {
    const candidates = [await this.fromSource(), this.config.clientSecretNext, this.config.clientSecret];
    return candidates.reduce<Secret[]>(
      (others, candidate) =>
        candidate === null || [refused, ...others].some((known) => known.equals(candidate))
          ? others
          : [...others, candidate],
      [],
    );
  }

  /** Refreshes that are refused together ask once together. */
  private fromSource(): Promise<Secret | null> {
    this.asking ??= this.askSource().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async askSource(): Promise<Secret | null> {
    const source = this.config.clientSecretSource;
    if (source === null) return null;
    try {
      const answer = await withinTime(Promise.resolve(source()));
      if (answer === null || answer === '') return null;
      return answer instanceof Secret ? answer : new Secret(answer);
    } catch {
      // Its text may quote what it was asked for.
      this.logger.warn('the function of the option clientSecret failed; the present secret stays in use');
      return null;
    }
  }
}

async function withinTime<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, SOURCE_TIMEOUT_MS, null);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}
