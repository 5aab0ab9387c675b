import pLimit from 'p-limit';
import { DataSource } from 'typeorm';
import { request } from 'undici';
import type { NotionSimulatorControl } from 'nestjs-notion-auth/testing';

/** A pair in the hands of somebody who takes no care of it. */
interface BarePair {
  readonly id: number;
  refreshToken: string;
}

/** What refreshing costs at the least: one request by undici and one `UPDATE` each, and nothing else. */
export class BareRefreshes {
  private constructor(
    private readonly source: DataSource,
    private readonly notion: NotionSimulatorControl,
    private readonly pairs: readonly BarePair[],
  ) {}

  static async open(url: string, notion: NotionSimulatorControl, count: number): Promise<BareRefreshes> {
    const source = await new DataSource({ type: 'postgres', url, applicationName: 'proofs' }).initialize();
    await source.query('CREATE TABLE bare_pair (id integer PRIMARY KEY, access text, refresh text)');
    await source.query(`INSERT INTO bare_pair SELECT n, '', '' FROM generate_series(0, $1 - 1) AS n`, [
      count,
    ]);
    const slots = pLimit(4);
    const grants = Array.from({ length: count }, () => slots(() => notion.grant()));
    const pairs = (await Promise.all(grants)).map(({ refreshToken }, id) => ({
      id,
      refreshToken: refreshToken ?? '',
    }));
    return new BareRefreshes(source, notion, pairs);
  }

  /** Refreshes all of them, so many at a time. @returns How many in a second. */
  async measure(atOnce: number): Promise<number> {
    const slots = pLimit(atOnce);
    const startedMs = performance.now();
    await Promise.all(this.pairs.map((pair) => slots(() => this.refresh(pair))));
    return (this.pairs.length * 1_000) / (performance.now() - startedMs);
  }

  close(): Promise<void> {
    return this.source.destroy();
  }

  private async refresh(pair: BarePair): Promise<void> {
    const { url, clientId, clientSecret } = this.notion;
    const { statusCode, body } = await request(`${url}/v1/oauth/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/json',
        'notion-version': '2026-03-11',
      },
      body: JSON.stringify({ grant_type: 'refresh_token', refresh_token: pair.refreshToken }),
    });
    const answer = (await body.json()) as { access_token: string; refresh_token: string };
    if (statusCode !== 200) throw new Error(`A bare refresh was answered ${statusCode}.`);
    pair.refreshToken = answer.refresh_token;
    const given = [answer.access_token, answer.refresh_token, pair.id];
    await this.source.query('UPDATE bare_pair SET access = $1, refresh = $2 WHERE id = $3', given);
  }
}
