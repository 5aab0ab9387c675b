import { randomBytes } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import {
  NotionAuthModule,
  NotionClientFactory,
  NotionOAuth,
  NotionRefreshService,
  Secret,
} from 'nestjs-notion-auth';
import type { FaultTarget } from 'nestjs-notion-auth/testing';
import type { Grant, Stage } from '../harness/stage.js';

/** What became of one attempt: an answer of a server, a refusal in words, or something nobody planned. */
export type Ending = 'answered' | 'refused' | 'odd';

type ApiFace = readonly [name: string, call: (id: string) => Promise<number>];
type OAuthFace = readonly [name: FaultTarget, ask: () => Promise<string>];

const VERSION = { 'notion-version': '2026-03-11' };
const POST = { method: 'POST', headers: VERSION, body: '{}' };

/** The module in an application of this process, and everything of it that sends a token. */
export class OriginFaces {
  /** An authorization code and tokens that the OAuth endpoints are asked with. */
  readonly secrets: string[];

  private constructor(
    private readonly clients: NotionClientFactory,
    private readonly refreshes: NotionRefreshService,
    private readonly notion: NotionOAuth,
    private readonly origin: string,
    readonly close: () => Promise<void>,
  ) {
    this.secrets = ['code', 'ntn', 'nrt'].map((kind) => `${kind}_${randomBytes(24).toString('hex')}`);
  }

  static async open(stage: Stage): Promise<OriginFaces> {
    const module = NotionAuthModule.forRoot({ ...stage.directOptions, runMigrations: true, routes: false });
    const nest = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    const parts = [
      nest.get(NotionClientFactory),
      nest.get(NotionRefreshService),
      nest.get(NotionOAuth),
    ] as const;
    return new OriginFaces(...parts, stage.notion.url, () => nest.close());
  }

  /** `fetch` with an address as text, as URL and as request; GET and POST. */
  fetches(id: string, address: string): Promise<Ending>[] {
    const fetch = this.clients.fetchFor(id);
    const url = tried(() => new URL(address, this.origin));
    const request = tried(() => new Request(url ?? '', POST));
    const inputs = [address, ...(url === null ? [] : [url]), ...(request === null ? [] : [request])];
    return [
      ...inputs.map((input) => endingOf(fetch(input, { headers: VERSION }))),
      endingOf(fetch(address, POST)),
    ];
  }

  /** The SDK of our factory, asked for an address as if it were a path. */
  sdk(id: string, address: string): Promise<Ending> {
    return endingOf(this.sdkOf(id).request({ path: address, method: 'get' }));
  }

  /** @returns statuses, as the caller sees them. */
  get apiFaces(): readonly ApiFace[] {
    return [
      [
        'fetch GET',
        async (id) => (await this.clients.fetchFor(id)('/v1/users/me', { headers: VERSION })).status,
      ],
      [
        'fetch POST',
        async (id) => (await this.clients.fetchFor(id)('/v1/search', { ...POST, redirect: 'follow' })).status,
      ],
      ['SDK GET', (id) => statusOf(this.sdkOf(id).users.me({}))],
      ['SDK POST', (id) => statusOf(this.sdkOf(id).search({ query: 'x' }))],
    ];
  }

  /** @returns what it was taken for. */
  get oauthFaces(): readonly OAuthFace[] {
    const [code, access, refresh] = this.secrets.map((secret) => new Secret(secret)) as [
      Secret,
      Secret,
      Secret,
    ];
    return [
      [
        'exchange',
        async () => (await this.notion.exchange(code, 'https://app.example/notion/callback')).kind,
      ],
      ['refresh', async () => (await this.notion.refresh(refresh, { timeoutMs: 5_000 })).kind],
      ['introspect', async () => (await this.notion.introspect(access)).kind],
      ['revoke', async () => ((await this.notion.revoke(access)) ? 'success' : 'failed')],
    ];
  }

  async refresh({ id }: Grant): Promise<string> {
    return (await this.refreshes.refresh(id, { trigger: 'manual' })).kind;
  }

  private sdkOf(id: string) {
    return this.clients.forAuthorization(id, { retry: false });
  }
}

async function endingOf(call: Promise<unknown>): Promise<Ending> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    const { code, status } = error as { code?: unknown; status?: unknown };
    if (code === 'notion_request_refused' || code === 'notionhq_client_invalid_path_parameter')
      return 'refused';
    return typeof status === 'number' ? 'answered' : 'odd';
  }
}

/** The SDK throws what is no success. */
async function statusOf(call: Promise<unknown>): Promise<number> {
  return call.then(
    () => 200,
    (error: unknown) => (error as { status?: number }).status ?? 0,
  );
}

function tried<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}
