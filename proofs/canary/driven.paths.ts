import { setTimeout as sleep } from 'node:timers/promises';
import type { NotionSimulator } from 'nestjs-notion-auth/testing';
import { API_FAULTS, tokenFaults, type NamedFault } from '../../test/support/canary.faults.js';
import type { CanaryScanner } from '../../test/support/canary.scanner.js';
import type { Proof } from '../harness/proof.js';
import { CanaryVisitor } from './canary.visitor.js';
import type { SeenBytes } from './seen.bytes.js';

export interface CanaryScene {
  readonly proof: Proof;
  readonly simulator: NotionSimulator;
  readonly scanner: CanaryScanner;
  readonly seen: SeenBytes;
  readonly url: string;
}

interface Connected {
  readonly id: string;
  readonly botId: string;
  readonly owner: string;
  readonly visitor: CanaryVisitor;
}

/** Every way through the library that an application, a browser or Notion can take. */
export class DrivenPaths {
  private readonly tokenFaults: readonly NamedFault[];
  private owners = 0;

  constructor(private readonly scene: CanaryScene) {
    this.tokenFaults = tokenFaults(scene.scanner.plant('echoed token'));
  }

  async driveAll(round: number): Promise<void> {
    this.owners = round * 1_000;
    await this.connects();
    await this.exchanges();
    await this.calls();
    await this.refreshes();
    await this.ends();
    await this.lookAround();
  }

  private async connects(): Promise<void> {
    const { simulator } = this.scene;
    const connected = await this.connect();
    for (const path of ['sdk', 'fetch', 'find']) await this.drive(`${path}: live token`, connected, path);
    const denier = this.visitor();
    await denier.ask('GET', pathOf(simulator.deny(await this.start(denier))));
    this.scene.seen.drove('connect: denied');
    const replayer = this.visitor();
    const callback = pathOf(this.allow(await this.start(replayer)));
    await replayer.ask('GET', callback);
    await replayer.ask('GET', callback);
    this.scene.seen.drove('connect: replayed');
    const other = this.visitor();
    await other.ask('GET', pathOf(this.allow(await this.start(this.visitor()))));
    this.scene.seen.drove('connect: wrong browser');
    await other.ask('GET', `${pathOf(this.allow(await this.start(other)))}&code=doubled`);
    this.scene.seen.drove('connect: doubled parameters');
  }

  private async exchanges(): Promise<void> {
    for (const [name, fault] of this.tokenFaults) {
      this.scene.proof.progress(`exchange: ${name}`);
      const visitor = this.visitor();
      const callback = pathOf(this.allow(await this.start(visitor)));
      this.scene.simulator.fail('exchange', fault);
      await visitor.ask('GET', callback);
      this.passed(`exchange: ${name}`);
    }
  }

  private async calls(): Promise<void> {
    const connected = await this.connect();
    this.scene.simulator.expireAccessToken(connected.botId);
    await this.drive('sdk: dead token', connected, 'sdk');
    for (const [name, fault] of API_FAULTS) {
      for (const path of ['sdk', 'fetch']) {
        this.scene.proof.progress(`${path}: ${name}`);
        this.scene.simulator.fail('api', fault);
        await this.drive(`${path}: ${name}`, connected, path);
      }
    }
    const foreign = encodeURIComponent('https://evil.example/v1/users/me');
    await connected.visitor.ask('GET', `/drive/fetch/${connected.id}?path=${foreign}`);
    this.passed('fetch: foreign origin');
  }

  private async refreshes(): Promise<void> {
    await this.drive('refresh: success', await this.connect(), 'refresh');
    for (const [name, fault] of this.tokenFaults) {
      this.scene.proof.progress(`refresh: ${name}`);
      const connected = await this.connect();
      this.scene.simulator.fail('refresh', fault);
      await this.drive(`refresh: ${name}`, connected, 'refresh');
      await this.drive(`token: after ${name}`, connected, 'token');
      await connected.visitor.ask('POST', '/drive/gates');
    }
    const kept = await this.connect();
    await kept.visitor.ask('POST', '/drive/read-only?on=true');
    await this.drive('refresh: read-only database', kept, 'refresh');
    await kept.visitor.ask('POST', '/drive/read-only?on=false');
  }

  private async ends(): Promise<void> {
    const revoked = await this.connect();
    this.scene.simulator.revokeGrant(revoked.botId);
    for (const path of ['sdk', 'refresh', 'token']) await this.drive(`${path}: revoked`, revoked, path);
    await this.drive('disconnect', await this.connect(), 'disconnect');
    const pending = await this.connect();
    this.scene.simulator.fail('revoke', { kind: 'status', status: 503 });
    await this.drive('disconnect: Notion is down', pending, 'disconnect');
    await this.drive('token: disconnected', pending, 'token');
    await this.drive('find: unknown id', { ...pending, id: 'no-such-id' }, 'find');
  }

  private async lookAround(): Promise<void> {
    const visitor = this.visitor();
    await sleep(50);
    const ways = ['POST sweep', 'POST rotate', 'GET health', 'GET metrics', 'GET rows', 'GET objects'];
    for (const way of ways) {
      const [method, path] = way.split(' ') as ['GET' | 'POST', string];
      await visitor.ask(method, `/drive/${path}`);
      this.passed(way);
    }
    await visitor.ask('GET', '/drive/list?owner=owner-1');
    this.passed('list');
    await this.operate();
  }

  /** Every page of the console over what the other ways left behind, and every button. */
  private async operate(): Promise<void> {
    const { id, botId, owner, visitor } = await this.connect();
    const pages = {
      minutes: '?span=15m',
      day: '?span=24h',
      week: '?span=7d',
      list: '/authorizations',
      bot: `/authorizations?q=${botId}`,
      owner: `/authorizations?q=${owner}`,
      dead: '/authorizations?status=needs_reconnect',
      nonsense: `/authorizations?q=${encodeURIComponent(`<%_\\'"`)}`,
    };
    for (const [name, path] of Object.entries(pages)) {
      await visitor.ask('GET', `/notion/console${path}`);
      this.passed(`console: ${name}`);
    }
    const one = `/notion/console/authorizations/${id}`;
    const { text } = await visitor.ask('GET', one);
    const [, formToken] = /name="formToken"\s+value="([^"]+)"/.exec(text) ?? [];
    await visitor.ask('POST', `${one}/refresh`, { formToken: 'of another browser' });
    this.passed('console: a form of another browser');
    for (const action of ['refresh', 'reconnect-link', 'disconnect']) {
      const at = `${one}/${action}`;
      const { status, location } = await visitor.ask('POST', at, { formToken, confirmed: 'yes' });
      if (status !== 303) throw new Error(`A button of the console was answered ${String(status)}.`);
      await visitor.ask('GET', pathOf(new URL(location, this.scene.url + at).href));
      this.passed(`console: ${action}`);
    }
  }

  private async drive(name: string, { id, owner, visitor }: Connected, path: string): Promise<void> {
    const method = ['sdk', 'fetch', 'find'].includes(path) ? 'GET' : 'POST';
    await visitor.ask(method, `/drive/${path}/${id}`, method === 'POST' ? { owner } : undefined);
    this.passed(name);
  }

  private passed(name: string): void {
    this.scene.seen.drove(name);
    this.scene.simulator.clearFaults();
  }

  private visitor(): CanaryVisitor {
    this.owners += 1;
    const { url, seen, scanner } = this.scene;
    return new CanaryVisitor(url, `owner-${String(this.owners)}`, seen, scanner);
  }

  private async start(visitor: CanaryVisitor): Promise<string> {
    const { location } = await visitor.ask('GET', '/notion/connect');
    return location;
  }

  private allow(authorizeUrl: string): string {
    return this.scene.simulator.allow(authorizeUrl, { person: this.scene.simulator.grant().ownerUserId! });
  }

  /** A person whom Notion does not know yet, connected through the browser. */
  private async connect(): Promise<Connected> {
    const visitor = this.visitor();
    const owner = `owner-${String(this.owners)}`;
    const { status } = await visitor.ask('GET', pathOf(this.allow(await this.start(visitor))));
    if (status !== 303) throw new Error(`A connect that should succeed was answered ${String(status)}.`);
    const [authorization] = await this.listOf(owner);
    if (authorization === undefined) throw new Error('A connect left nothing behind.');
    return { ...authorization, owner, visitor };
  }

  private async listOf(owner: string): Promise<{ id: string; botId: string }[]> {
    const answer = await fetch(`${this.scene.url}/drive/list?owner=${owner}`);
    const text = await answer.text();
    this.scene.seen.add('HTTP answers', text);
    const json = text.slice(text.lastIndexOf('\n') + 1);
    return JSON.parse(json) as { id: string; botId: string }[];
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
