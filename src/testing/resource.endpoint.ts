import { versionProblem } from './client.check.js';
import type { Grant, GrantBook } from './grant.book.js';
import type { NotionDirectory } from './notion.directory.js';
import type { NotionPage } from './sample-workspaces.js';
import type { Endpoint, RegisteredConnection, SimulatedCall } from './simulated.call.js';
import type { ModeSwitch } from './simulator.modes.js';
import { apiError, preparedAnswer, type Answer } from './wire.answers.js';

const PAGE_PATH = /^\/v1\/pages\/([0-9a-fA-F-]{32,36})$/;
const MADE_AT = '2026-01-15T09:30:00.000Z';

/** The API calls there are: `GET /v1/users/me`, `POST /v1/search`, `GET /v1/pages/:id`. */
export class ResourceEndpoint implements Endpoint {
  /** Bodies by grant; a grant's answers change only with the pages shared and the owner mode. */
  private readonly prepared = new WeakMap<Grant, PreparedBodies>();

  constructor(
    private readonly connection: RegisteredConnection,
    private readonly modes: ModeSwitch,
    private readonly grants: GrantBook,
    private readonly directory: NotionDirectory,
  ) {}

  answer(call: SimulatedCall): Answer {
    const grant = this.grantOf(call);
    if (grant === undefined) return apiError(401, 'unauthorized', 'API token is invalid.');
    const problem = versionProblem(call, this.modes);
    if (problem !== null) return problem;
    if (call.method === 'GET' && call.path === '/v1/users/me') {
      return preparedAnswer(this.bodiesOf(grant).botUser);
    }
    if (call.method === 'POST' && call.path === '/v1/search') return this.search(call, grant);
    const page = call.method === 'GET' ? PAGE_PATH.exec(call.path) : null;
    if (page !== null) return this.page(page[1]!, grant);
    return apiError(400, 'invalid_request_url', 'Invalid request URL.');
  }

  private grantOf({ token }: SimulatedCall): Grant | undefined {
    if (token?.kind !== 'access' || token.status !== 'live') return undefined;
    return this.grants.find(token.botId);
  }

  private search(call: SimulatedCall, grant: Grant): Answer {
    if (call.body === '' || call.body === '{}') return preparedAnswer(this.bodiesOf(grant).wholeSearch);
    if (call.json === undefined) return apiError(400, 'invalid_json', 'Error parsing JSON body.');
    const { query, page_size: pageSize, start_cursor: cursor } = call.json;
    const found = this.sharedPages(grant).filter((page) => isFound(page, query));
    const start = typeof cursor === 'string' ? found.findIndex((page) => page.id === cursor) : 0;
    if (start === -1) return apiError(400, 'validation_error', 'The start_cursor provided is invalid.');
    const size = typeof pageSize === 'number' ? pageSize : 100;
    if (!Number.isInteger(size) || size < 1 || size > 100) {
      return apiError(400, 'validation_error', 'body failed validation: body.page_size should be 1 to 100.');
    }
    const results = found.slice(start, start + size);
    return preparedAnswer(searchBody(results, found[start + size]?.id ?? null, grant));
  }

  private page(id: string, grant: Grant): Answer {
    const shared = new Set(grant.pageIds);
    const page = this.directory.page(grant.workspaceId, id);
    if (page !== undefined && shared.has(page.id)) return preparedAnswer(open(pageBody(page, grant)));
    return apiError(
      404,
      'object_not_found',
      `Could not find page with ID: ${id}. Make sure the relevant pages and databases are shared with your integration "${this.connection.name}".`,
    );
  }

  private bodiesOf(grant: Grant): PreparedBodies {
    const { owner } = this.modes.current;
    const known = this.prepared.get(grant);
    if (known?.pageIds === grant.pageIds && known.owner === owner) return known;
    const bodies: PreparedBodies = {
      pageIds: grant.pageIds,
      owner,
      botUser: open(this.botUser(grant)),
      wholeSearch: searchBody(this.sharedPages(grant), null, grant),
    };
    this.prepared.set(grant, bodies);
    return bodies;
  }

  private sharedPages(grant: Grant): NotionPage[] {
    const shared = new Set(grant.pageIds);
    return this.directory.workspace(grant.workspaceId).pages.filter((page) => shared.has(page.id));
  }

  private botUser(grant: Grant): Record<string, unknown> {
    const workspace = this.directory.workspace(grant.workspaceId);
    return {
      object: 'user',
      id: grant.botId,
      name: this.connection.name,
      avatar_url: null,
      type: 'bot',
      bot: {
        owner: this.directory.ownerBody(grant.personId, this.modes.current.owner),
        workspace_id: workspace.id,
        workspace_name: workspace.name,
        workspace_limits: { max_file_upload_size_in_bytes: 5_242_880 },
      },
    };
  }
}

interface PreparedBodies {
  readonly pageIds: readonly string[];
  readonly owner: string;
  readonly botUser: string;
  readonly wholeSearch: string;
}

function isFound(page: NotionPage, query: unknown): boolean {
  return typeof query !== 'string' || page.title.toLowerCase().includes(query.toLowerCase());
}

function searchBody(pages: readonly NotionPage[], nextCursor: string | null, grant: Grant): string {
  return open({
    object: 'list',
    results: pages.map((page) => pageBody(page, grant)),
    next_cursor: nextCursor,
    has_more: nextCursor !== null,
    type: 'page_or_data_source',
    page_or_data_source: {},
  });
}

/** @see https://developers.notion.com/reference/page */
function pageBody(page: NotionPage, grant: Grant): Record<string, unknown> {
  const user = { object: 'user', id: grant.personId };
  const text = { content: page.title, link: null };
  return {
    object: 'page',
    id: page.id,
    created_time: MADE_AT,
    last_edited_time: MADE_AT,
    created_by: user,
    last_edited_by: user,
    cover: null,
    icon: page.icon === null ? null : { type: 'emoji', emoji: page.icon },
    parent: { type: 'workspace', workspace: true },
    archived: false,
    in_trash: false,
    is_locked: false,
    properties: {
      title: {
        id: 'title',
        type: 'title',
        title: [{ type: 'text', text, plain_text: page.title, href: null }],
      },
    },
    url: `https://www.notion.so/${page.id.replaceAll('-', '')}`,
    public_url: null,
  };
}

/** JSON of an object without its closing brace, for {@link preparedAnswer}. */
function open(body: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(body).slice(0, -1);
}
