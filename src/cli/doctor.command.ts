import { judgeCallbackRoutes } from '../config/callback-route.js';
import { readDevelopmentKey } from '../config/development-key.js';
import { optionsFromEnvironment } from '../config/notion-auth.env.js';
import type { NotionAuthConfig } from '../config/notion-auth.options.js';
import { UpstreamConnector } from '../config/upstream.connector.js';
import { resolveConfig } from '../config/resolve-config.js';
import { SystemClock } from '../domain/clock.js';
import { SECOND_MS } from '../domain/duration.js';
import { NotionConfigError } from '../domain/errors.js';
import { Secret } from '../domain/secret.js';
import { ClientSecrets } from '../notion/client-secrets.js';
import { whyUnusableLater } from '../journal/journal-folder.js';
import { NotionOAuthClient } from '../notion/notion-oauth.client.js';
import { OAuthTransport } from '../notion/oauth.transport.js';
import { databaseFindings } from './doctor.database.js';
import { Findings, type Finding } from './doctor.findings.js';
import { EXIT_FAILED } from './exit-codes.js';
import type { Printer } from './printer.js';
import { readEnvironment } from './with-application.js';

export interface DoctorOptions {
  readonly prefix: string;
  readonly callbackPath?: string;
  readonly json?: boolean;
}

/** Between the end of the drain and that of the process: the database is closed, and what is left of the server. */
const END_MARGIN_MS = 10 * SECOND_MS;

const MARKS: Readonly<Record<Finding['verdict'], string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

/** Exits with 1 when anything would keep the application from working. No authorization is touched. */
export async function doctor(print: Printer, options: DoctorOptions): Promise<void> {
  const findings = new Findings();
  const config = configuration(findings);
  if (config !== null) {
    redirectUris(config, options, findings);
    journal(findings);
    await databaseFindings(config, findings);
    await credentials(config, findings);
  }
  if (options.json === true) print.json({ ok: !findings.hasFailed, findings: findings.all });
  else
    for (const { verdict, check, text } of findings.all)
      print.line(`${MARKS[verdict]}  ${check.padEnd(14)} ${text}`);
  if (findings.hasFailed) process.exitCode = EXIT_FAILED;
}

function configuration(findings: Findings): NotionAuthConfig | null {
  try {
    const config = resolveConfig(readEnvironment(), process.env, null, {
      developmentKey: readDevelopmentKey,
    });
    for (const warning of config.warnings) findings.warn('configuration', warning);
    const { leaseMs, requestTimeoutMs, leaseMarginMs, drainMs } = config.refresh;
    const graceSeconds = Math.ceil((drainMs + END_MARGIN_MS) / SECOND_MS);
    findings.ok('configuration', 'every option is valid');
    findings.ok(
      'times',
      `a claim of ${String(leaseMs)} ms outlasts a request of ${String(requestTimeoutMs)} ms and its margin of ${String(leaseMarginMs)} ms; a process that ends drains for up to ${String(drainMs)} ms: give it ${String(graceSeconds)} s (terminationGracePeriodSeconds)`,
    );
    return config;
  } catch (error) {
    if (!(error instanceof NotionConfigError)) throw error;
    for (const problem of error.problems) findings.fail('configuration', problem);
    return null;
  }
}

/** As the application itself compares them when it starts, with the routes that it would mount. */
function redirectUris(
  config: NotionAuthConfig,
  { prefix, callbackPath }: DoctorOptions,
  findings: Findings,
): void {
  const mounted = callbackPath ?? `/${prefix.replace(/^\/+|\/+$/g, '')}/callback`;
  const { problems, warnings } = judgeCallbackRoutes(config, [mounted]);
  for (const problem of problems) findings.fail('redirect URIs', problem);
  for (const warning of warnings) findings.warn('redirect URIs', warning);
  if (problems.length === 0) {
    findings.ok('redirect URIs', `register with Notion, byte for byte: ${config.redirectUris.join(', ')}`);
  }
}

function journal(findings: Findings): void {
  const folder = optionsFromEnvironment(process.env).refresh?.journalFolder;
  if (folder == null) {
    findings.warn(
      'journal',
      "off: a kill between Notion's answer and the commit loses the new pair (NOTION_AUTH_JOURNAL_DIR)",
    );
    return;
  }
  const code = whyUnusableLater(folder);
  if (code === null) findings.ok('journal', `${folder} can be written`);
  else
    findings.fail(
      'journal',
      `${folder} cannot be written by this user (${code}); make it a directory that belongs to the user of the application, or remove refresh.journalFolder (NOTION_AUTH_JOURNAL_DIR)`,
    );
}

/** Asks about a token that nobody has: Notion judges the client first, and no grant is looked at. */
async function credentials(config: NotionAuthConfig, findings: Findings): Promise<void> {
  const clock = new SystemClock();
  const transport = new OAuthTransport(clock, new UpstreamConnector(config, clock));
  const notion = new NotionOAuthClient(config, transport, clock, new ClientSecrets(config));
  const answer = await notion.introspect(new Secret('notion-auth-doctor-asks-about-no-token'));
  const failure = answer.kind === 'useless' ? answer.failure : null;
  if (failure?.proxy !== undefined) {
    findings.fail(
      'proxy',
      `the proxy ${failure.proxy} opened no tunnel to ${config.apiBaseUrl} (${failure.code ?? 'no response'}): check NOTION_AUTH_PROXY, or with environment the variable HTTPS_PROXY, and allow that host at the proxy`,
    );
    return;
  }
  const { proxy } = config.outbound;
  if (proxy?.kind === 'url') findings.ok('proxy', `requests go through ${proxy.host} (${proxy.source})`);
  if (failure?.status === undefined && failure !== null) {
    findings.fail(
      'Notion',
      `${config.apiBaseUrl} cannot be reached (${failure.code ?? 'no answer'}): look at DNS, firewall, proxy and NOTION_API_BASE_URL`,
    );
    return;
  }
  findings.ok('Notion', `${config.apiBaseUrl} answers`);
  if (failure?.code === 'invalid_client' || failure?.code === 'unauthorized_client') {
    findings.fail(
      'credentials',
      "Notion refuses the client (invalid_client): NOTION_CLIENT_ID and NOTION_CLIENT_SECRET are not those of this connection; compare both with the connection's page in Notion",
    );
  } else if (failure !== null) {
    findings.warn(
      'credentials',
      `not known: Notion answered ${String(failure.status)} ${failure.code ?? ''}`.trimEnd(),
    );
  } else {
    findings.ok('credentials', 'Notion accepts the client id and secret');
  }
}
