import { relative, resolve } from 'node:path';
import { AuthorizationDirectory, type JournaledAttempt } from '../domain/authorization-directory.js';
import type { Authorization, AuthorizationStatus } from '../domain/authorization.js';
import { NotionAuthorizationNotFoundError } from '../domain/errors.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { NotionRefreshService } from '../refresh/notion-refresh.service.js';
import { EXIT_FAILED } from './exit-codes.js';
import type { Printer } from './printer.js';
import { withApplication } from './with-application.js';

const ATTEMPTS_SHOWN = 10;

export interface ListOptions {
  readonly status?: AuthorizationStatus;
  readonly owner?: string;
  readonly workspace?: string;
  readonly bot?: string;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

export async function listAuthorizations(print: Printer, options: ListOptions): Promise<void> {
  const { status, owner: ownerId, workspace: workspaceId, bot: botId, limit, after } = options;
  const page = await withApplication((application) =>
    application
      .get(AuthorizationDirectory, { strict: false })
      .page({ status, ownerId, workspaceId, botId, limit, after }),
  );
  if (options.json === true) {
    for (const authorization of page) print.json(authorization);
    return;
  }
  if (page.length === 0) {
    print.line(after === undefined ? 'There is no such authorization.' : 'There are no more.');
    return;
  }
  print.table(
    ['id', 'status', 'reason', 'workspace', 'version', 'last success'],
    page.map((one) => [
      one.id,
      one.status,
      one.reason ?? '',
      one.workspaceName ?? one.workspaceId,
      String(one.version),
      instant(one.lastSuccessAt),
    ]),
  );
  const last = page.at(-1);
  if (last !== undefined && page.length === limit) print.line(`more, if any: --after ${last.id}`);
}

export async function showAuthorization(
  print: Printer,
  id: string,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const found = await withApplication(async (application) => {
    const directory = application.get(AuthorizationDirectory, { strict: false });
    const authorization = await directory.find(id);
    if (authorization === null) throw new NotionAuthorizationNotFoundError();
    const owners = await directory.ownersOf(id);
    return { authorization, owners, attempts: await directory.attemptsOf(id, ATTEMPTS_SHOWN) };
  });
  const meaning = meaningOf(found.attempts);
  if (json) print.json({ ...found, meaning });
  else printAuthorization(print, found, meaning);
}

export async function refreshAuthorization(print: Printer, id: string): Promise<void> {
  const outcome = await withApplication((application) =>
    application.get(NotionRefreshService, { strict: false }).refresh(id, { trigger: 'manual' }),
  );
  print.line(`${outcome.kind}${'reason' in outcome ? ` (${outcome.reason})` : ''}`);
  if ('failure' in outcome) printMeaning(print, diagnose(outcome.failure, { stage: 'refresh' }));
  if (outcome.kind !== 'renewed' && outcome.kind !== 'followed') process.exitCode = EXIT_FAILED;
}

function meaningOf([last]: readonly JournaledAttempt[]) {
  if (last === undefined || last.outcome === 'success' || last.outcome === null) return null;
  return diagnose({ status: last.status, code: last.code, request_id: last.requestId }, { stage: 'refresh' });
}

function printAuthorization(
  print: Printer,
  {
    authorization: one,
    owners,
    attempts,
  }: {
    readonly authorization: Authorization;
    readonly owners: readonly string[];
    readonly attempts: readonly JournaledAttempt[];
  },
  meaning: ReturnType<typeof meaningOf>,
): void {
  const facts: readonly (readonly [string, string])[] = [
    ['id', one.id],
    ['status', one.reason === null ? one.status : `${one.status} (${one.reason})`],
    ['since', instant(one.statusSince)],
    ['workspace', `${one.workspaceName ?? ''} ${one.workspaceId}`.trim()],
    ['bot', one.botId],
    ['person', one.ownerUserId ?? ''],
    ['owners', owners.join(', ')],
    ['version', `${String(one.version)}, stored ${instant(one.pairStoredAt)}`],
    ['refresh token', one.hasRefreshToken ? 'kept sealed' : 'none'],
  ];
  for (const [name, value] of facts) print.line(`${name.padEnd(14)} ${value}`);
  print.line();
  print.table(
    ['attempt', 'trigger', 'outcome', 'status', 'code', 'request', 'Notion took'],
    attempts.map((attempt) => [
      instant(attempt.startedAt),
      attempt.trigger,
      attempt.outcome ?? 'under way',
      attempt.status === null ? '' : String(attempt.status),
      attempt.code ?? '',
      attempt.requestId ?? '',
      attempt.upstreamMs === null ? '' : `${String(attempt.upstreamMs)} ms`,
    ]),
  );
  if (meaning !== null) {
    print.line();
    printMeaning(print, meaning);
  }
}

/** What an error means, for people. */
export function printMeaning(print: Printer, meaning: ReturnType<typeof diagnose>): void {
  const { family, summary, code, stage, status, requestId } = meaning;
  print.line(`${family}: ${summary}`);
  const facts = [
    code,
    `stage ${stage}`,
    status && `HTTP ${String(status)}`,
    requestId && `request ${requestId}`,
  ];
  print.line(`  seen: ${facts.filter(Boolean).join(', ')}`);
  for (const cause of meaning.causes) print.line(`  likely: ${cause}`);
  for (const step of meaning.fix) print.line(`  do: ${step}`);
  print.line(`  more: ${runbookFrom(meaning.runbook)}`);
}

/** Where the section is as seen from here, so that it can be opened. */
function runbookFrom(address: string): string {
  return relative(process.cwd(), resolve(import.meta.dirname, '../..', address));
}

function instant(at: Date | null): string {
  return at === null ? '' : at.toISOString();
}
