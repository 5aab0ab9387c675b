import type { ConfigFindings } from './config-findings.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';
import { readFlag } from './flag.option.js';
import { judgeRedirectUris } from './redirect-uri.js';

/** Notion's form takes a handful; each is compared with each. */
const MAX_ENTRIES = 100;

/** The redirect URIs, byte for byte as configured. */
export function readRedirectUris(
  options: Partial<NotionAuthOptions>,
  production: boolean,
  findings: ConfigFindings,
): NotionAuthConfig['redirectUris'] {
  const uris: unknown = options.redirectUris ?? [];
  if (!Array.isArray(uris)) {
    findings.problem('redirectUris', 'must be a list of URLs');
    return [''];
  }
  if (uris.length > MAX_ENTRIES) {
    findings.problem('redirectUris', `has more than ${MAX_ENTRIES} entries`);
    return [''];
  }
  const allowInsecure =
    readFlag('allowInsecureRedirectUris', options.allowInsecureRedirectUris, findings) ?? false;
  findings.add('redirectUris', judgeRedirectUris(uris, { production, allowInsecure }));
  if (uris.some((uri) => typeof uri === 'string' && uri.startsWith('http:'))) {
    findings.warning(
      'redirectUris',
      'over http the cookie that binds a connect to its browser cannot be Secure, nor __Host-: for development only',
    );
  }
  const [first = '', ...others] = uris as readonly string[];
  return [first, ...others];
}
