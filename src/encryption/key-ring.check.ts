import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EPHEMERAL_KEY_PREFIX } from '../config/encryption-keys.option.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { NotionConfigError } from '../domain/errors.js';
import { NotionKeyRotation, type KeyUsage } from './notion-key.rotation.js';
import { NotionLogger } from '../logging/notion.logger.js';

/**
 * A key that stored secrets still need must not be missing: they could not be opened, and a person would be asked to
 * connect again for nothing.
 */
@Injectable()
export class KeyRingCheck implements OnModuleInit {
  private readonly logger = new NotionLogger('NotionAuthModule');

  constructor(
    private readonly rotation: NotionKeyRotation,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'allowMissingKeys'>,
  ) {}

  /** @throws {@link NotionConfigError} naming each missing key id and how many rows need it. */
  async onModuleInit(): Promise<void> {
    const missing = await this.missingKeys();
    // A key of one process alone is gone with it, and nobody can bring it back.
    const lost = missing.filter(({ keyId }) => keyId.startsWith(EPHEMERAL_KEY_PREFIX));
    const dropped = missing.filter((usage) => !lost.includes(usage));
    if (dropped.length > 0 && !this.config.allowMissingKeys)
      throw new NotionConfigError(dropped.map(problem));
    for (const usage of dropped) this.logger.warn(problem(usage));
    for (const usage of lost) this.logger.warn(lossOf(usage));
  }

  /** Those that are not configured and in use. Empty when everything stored can be opened. */
  async missingKeys(): Promise<readonly KeyUsage[]> {
    return (await this.rotation.status()).filter(({ isConfigured }) => !isConfigured);
  }
}

function problem({ keyId, rows }: KeyUsage): string {
  return (
    `encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): the key ${keyId} is missing (unknown_key_id) and seals ` +
    `${String(rows)} stored authorizations or secrets; put it back, after the key that seals`
  );
}

function lossOf({ keyId, rows }: KeyUsage): string {
  return (
    `encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): ${String(rows)} stored authorizations or secrets are encrypted with ` +
    `${keyId}, the key of a process that has ended; they cannot be decrypted, and their users must reconnect. Set the ` +
    'keys to keep tokens over restarts'
  );
}
