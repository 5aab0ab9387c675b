import type { ConfigFindings } from './config-findings.js';
import type { NotionAuthConfig, NotionAuthOptions } from './notion-auth.options.js';
import { isDotSegment, judgeRedirectUris, type UrlPolicy } from './redirect-uri.js';

/** Notion's form takes a handful; each is compared with each. */
const MAX_ENTRIES = 100;

/** The redirect URIs, byte for byte as configured. */
export function readRedirectUris(
  options: Partial<NotionAuthOptions>,
  policy: UrlPolicy,
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
  findings.add('redirectUris', judgeRedirectUris(uris, policy));
  if (uris.some((uri) => typeof uri === 'string' && uri.startsWith('http:'))) {
    findings.warning(
      'redirectUris',
      'over http the cookie that binds a connect to its browser cannot be Secure, nor __Host-: for development only',
    );
  }
  const [first = '', ...others] = uris as readonly string[];
  return [first, ...others];
}

const SEGMENTS = /^[\w.~%-]{1,200}(?:\/[\w.~%-]{1,200}){0,20}$/;

/** The prefixes that a proxy removes, each as what stands before a mounted path. */
export function readPublicBasePaths(
  { publicBasePath = '' }: Partial<NotionAuthOptions>,
  findings: ConfigFindings,
): NotionAuthConfig['publicBasePaths'] {
  const given: readonly unknown[] = Array.isArray(publicBasePath) ? publicBasePath : [publicBasePath];
  const paths = given.slice(0, MAX_ENTRIES).map((path) => {
    const trimmed = typeof path === 'string' ? path.trim().replace(/^\/{1,10}|\/{1,10}$/g, '') : null;
    if (trimmed === '') return '';
    if (trimmed === null || !SEGMENTS.test(trimmed) || trimmed.split('/').some(isDotSegment)) {
      findings.problem(
        'publicBasePath',
        'must be a path such as /api (or a list of them), without scheme, host, query or fragment',
      );
    }
    return `/${trimmed ?? ''}`;
  });
  const [first = '', ...others] = [...new Set(paths)];
  return [first, ...others];
}
