import type { ConfigFindings } from './config-findings.js';
import type { NotionAuthConfig } from './notion-auth.options.js';
import { isOnOrigin, isOwnPath } from './own-path.js';
import { parseUrl } from './parse-url.js';
import type { UrlPolicy } from './redirect-uri.js';

/** Judges where a connect may end: `connect.allowedReturnOrigins`, and `connect.defaultReturnTo` among them. */
export function checkReturnOrigins(
  { allowedReturnOrigins, defaultReturnTo }: NotionAuthConfig['connect'],
  policy: UrlPolicy,
  findings: ConfigFindings,
): void {
  for (const [index, origin] of allowedReturnOrigins.entries()) {
    const say = (kind: 'problem' | 'warning', rule: string): void => {
      findings[kind]('connect.allowedReturnOrigins', `entry ${index + 1}: ${rule}`);
    };
    const problem = originProblem(origin);
    if (problem !== null) say('problem', problem);
    else if (policy.production && origin.startsWith('http:')) {
      say(policy.allowInsecure ? 'warning' : 'problem', 'uses http in production; use https');
    }
  }
  if (!isOwnPath(defaultReturnTo) && !isOnOrigin(defaultReturnTo, allowedReturnOrigins)) {
    findings.problem(
      'connect.defaultReturnTo',
      'must be a path on the own origin, such as /settings, or a URL on one of connect.allowedReturnOrigins',
    );
  }
}

function originProblem(text: string): string | null {
  // Nothing more is said about an origin with credentials in it: a suggestion would print them.
  if (text.includes('@')) return 'contains a user name or password';
  if (text.includes('*')) return 'contains a wildcard; list each origin';
  const url = parseUrl(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return 'is not an http or https origin, such as https://app.example';
  return url.origin === text ? null : `is not an origin as browsers send it; use ${url.origin}`;
}
