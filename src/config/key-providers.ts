import { readFile } from 'node:fs/promises';
import { KeyProvider, type EncryptionKeyOption } from '../domain/key-provider.js';
import { parseKeys } from './notion-auth.env.js';

/** The key ring out of one environment variable, `id:base64,…`. */
export class EnvironmentKeyProvider extends KeyProvider {
  constructor(
    private readonly variable = 'NOTION_AUTH_ENCRYPTION_KEYS',
    private readonly environment: () => Readonly<Record<string, string | undefined>> = () => process.env,
  ) {
    super();
  }

  override keys(): readonly EncryptionKeyOption[] {
    const text = this.environment()[this.variable];
    return text === undefined || text === '' ? [] : parseKeys(text);
  }
}

/**
 * The key ring out of files, as container platforms mount secrets: each holds one or more `id:base64`, on lines of
 * their own or with commas between. The keys count in the order of the files.
 */
export class FileKeyProvider extends KeyProvider {
  private readonly paths: readonly string[];

  /** @param paths one file or more, the one with the key that seals first. */
  constructor(...paths: readonly [string, ...string[]]) {
    super();
    this.paths = paths;
  }

  override async keys(): Promise<readonly EncryptionKeyOption[]> {
    const texts = await Promise.all(this.paths.map((path) => readFile(path, 'utf8')));
    return texts.flatMap((text) => parseKeys(text.trim()));
  }
}
