import { Secret } from '../domain/secret.js';
import { OPTION_VARIABLES, type ConfigFindings } from './config-findings.js';
import type { NotionAuthOptions, OutboundProxy, ProxyDispatcher } from './notion-auth.options.js';
import { parseUrl } from './parse-url.js';

const OPTION = 'outbound.proxy';
const RULE =
  "must be the URL of an http or https proxy (http://host:port), the word 'environment', or undici's Dispatcher";
const VARIABLE = OPTION_VARIABLES[OPTION]!;
const MAX_URL_LENGTH = 4_096;

type Environment = Readonly<Record<string, string | undefined>>;

/** How requests to `apiBaseUrl` leave: directly, or through what the option or, if it says so, the environment names. */
export function readProxy(
  options: Partial<NotionAuthOptions>,
  { apiBaseUrl, environment }: { readonly apiBaseUrl: string; readonly environment: Environment },
  findings: ConfigFindings,
): OutboundProxy | null {
  const option: unknown = (options.outbound as { proxy?: unknown } | null | undefined)?.proxy;
  const given = option instanceof Secret ? option.reveal() : option;
  const target = parseUrl(apiBaseUrl);
  // An address that is none is a problem of its own option.
  if (given === null || target === null) return null;
  const named = proxyOfEnvironment(target, environment);
  if (given === undefined) {
    if (named !== null)
      findings.warning(
        OPTION,
        `is not set, so requests to ${apiBaseUrl} do not use the proxy that ${named.variable} names; set it (or ${VARIABLE}) to 'environment' to use that proxy; to send requests directly without this warning, set it to null in code, or set ${VARIABLE} to an empty value`,
      );
    return null;
  }
  if (given === 'environment') {
    if (named !== null) return readUrl(named.text, named.variable, findings);
    findings.warning(
      OPTION,
      `is 'environment', and ${variablesFor(apiBaseUrl).join(' and ')} name no proxy for ${apiBaseUrl} (or NO_PROXY excludes it): requests are sent directly`,
    );
    return null;
  }
  if (typeof given === 'string') return readUrl(given, OPTION, findings);
  if (isDispatcher(given)) return { kind: 'dispatcher', dispatcher: () => given };
  // Masked options hide a dispatcher, which may hold credentials, behind a function.
  const held: unknown = typeof given === 'function' ? (given as () => unknown)() : undefined;
  if (isDispatcher(held)) return { kind: 'dispatcher', dispatcher: () => held };
  findings.problem(OPTION, RULE);
  return null;
}

function readUrl(text: string, source: string, findings: ConfigFindings): OutboundProxy | null {
  const url = text.length <= MAX_URL_LENGTH && text === text.trim() ? parseUrl(text) : null;
  const isProxy =
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '';
  if (!isProxy) {
    findings.problem(
      source,
      source === OPTION ? RULE : 'must be the URL of an http or https proxy (http://host:port)',
    );
    return null;
  }
  if (!isDecodable(url.username) || !isDecodable(url.password)) {
    findings.problem(source, 'has a user name or password that is not percent-encoded');
    return null;
  }
  return {
    kind: 'url',
    url: new Secret(url.href),
    host: url.host,
    source: source === OPTION ? `${OPTION} (${VARIABLE})` : source,
  };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isDispatcher(value: unknown): value is ProxyDispatcher {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['dispatch', 'request'].every(
      (method) => typeof (value as Readonly<Record<string, unknown>>)[method] === 'function',
    )
  );
}

/** Lower case first, as curl reads them. */
function variablesFor(apiBaseUrl: string): readonly string[] {
  return apiBaseUrl.startsWith('https:') ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
}

function proxyOfEnvironment(
  target: URL,
  environment: Environment,
): { readonly variable: string; readonly text: string } | null {
  const variable = variablesFor(target.href).find((name) => isSet(environment[name]));
  if (variable === undefined || isExcluded(target, environment)) return null;
  const text = environment[variable]!;
  return { variable, text: text.includes('://') ? text : `http://${text}` };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

/** `*`, or names with all below them, each with a port where it has one; as curl and undici read `NO_PROXY`. */
function isExcluded(target: URL, environment: Environment): boolean {
  const list = [environment['no_proxy'], environment['NO_PROXY']].find(isSet) ?? '';
  const host = bare(target.hostname);
  const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  return list.split(/[,\s]+/).some((entry) => {
    if (entry === '') return false;
    if (entry === '*') return true;
    const [, name = entry, entryPort] = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
    const excluded = bare(name.replace(/^\*?\./, '').toLowerCase());
    return (
      (entryPort === undefined || entryPort === port) && (host === excluded || host.endsWith(`.${excluded}`))
    );
  });
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
