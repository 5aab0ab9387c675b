import { Secret } from '../domain/secret.js';
import type { NotionAuthOptions } from './notion-auth.options.js';

type Proxy = NonNullable<NonNullable<NotionAuthOptions['outbound']>['proxy']>;

/**
 * The same options with every secret wrapped: Nest keeps what it is given for as long as the application lives, and
 * whoever prints a module or its container would print it. Nothing is judged here.
 */
export function maskedOptions(options: NotionAuthOptions): NotionAuthOptions {
  if (!isObject(options)) return options;
  const masked = { ...options };
  for (const name of ['clientSecret', 'clientSecretNext', 'databaseUrl'] as const) {
    const value = masked[name];
    if (typeof value === 'string') masked[name] = new Secret(value);
  }
  const { databaseTls } = masked;
  if (typeof databaseTls === 'object') masked.databaseTls = maskedKey(databaseTls);
  if (Array.isArray(masked.encryptionKeys)) masked.encryptionKeys = masked.encryptionKeys.map(maskedKey);
  if (isObject(masked.outbound) && masked.outbound.proxy != null)
    masked.outbound = { ...masked.outbound, proxy: maskedProxy(masked.outbound.proxy) };
  if (isObject(masked.webhooks) && Array.isArray(masked.webhooks.verificationTokens)) {
    masked.webhooks = {
      ...masked.webhooks,
      verificationTokens: maskedTexts(masked.webhooks.verificationTokens),
    };
  }
  return masked;
}

/** A dispatcher may hold the proxy's credentials where printing shows them. */
function maskedProxy(proxy: Proxy): Proxy {
  if (typeof proxy === 'string') return new Secret(proxy);
  return proxy instanceof Secret || typeof proxy === 'function' ? proxy : ((() => proxy) as unknown as Proxy);
}

function maskedTexts(texts: readonly (string | Secret)[]): (string | Secret)[] {
  return texts.map((text) => (typeof text === 'string' ? new Secret(text) : text));
}

function maskedKey<Entry extends { readonly key?: string | Secret }>(entry: Entry): Entry {
  if (!isObject(entry) || typeof entry.key !== 'string') return entry;
  return { ...entry, key: new Secret(entry.key) };
}

/** Applications in plain JavaScript may give anything. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
