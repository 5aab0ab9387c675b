import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PROGRAM = '/usr/bin/prometheus';
const RULES = resolve(import.meta.dirname, '../../../../ops/prometheus/alerts.yml');
const START_WITHIN_MS = 20_000;

/** How long each window of the rules is here: an hour becomes a minute, and what is long already, three. */
const SHORTENED: Readonly<Record<string, string>> = {
  '5m': '10s',
  '10m': '20s',
  '15m': '20s',
  '30m': '40s',
  '1h': '60s',
  '6h': '90s',
  '1d': '120s',
  '3d': '180s',
};

export interface RuleState {
  readonly name: string;
  readonly type: string;
  readonly health: string;
  readonly state?: string;
}

/** Debian's Prometheus on a free port of the loopback, over one target. */
export class PrometheusServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
  ) {}

  static get isInstalled(): boolean {
    return existsSync(PROGRAM);
  }

  static async freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    return port;
  }

  static async start(folder: string, targetPort: number): Promise<PrometheusServer> {
    const home = join(folder, 'prometheus');
    mkdirSync(home);
    writeFileSync(join(home, 'rules.yml'), shortened(readFileSync(RULES, 'utf8')));
    writeFileSync(join(home, 'prometheus.yml'), configuration(targetPort));
    const port = await PrometheusServer.freePort();
    const child = spawn(
      PROGRAM,
      [
        `--config.file=${join(home, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(home, 'data')}`,
        `--web.listen-address=127.0.0.1:${String(port)}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const server = new PrometheusServer(child, `http://127.0.0.1:${String(port)}`);
    await server.becomesReady();
    return server;
  }

  async isTargetUp(): Promise<boolean> {
    return (await this.value('up{job="quickstart"}')) === 1;
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<readonly string[]> {
    return (await this.rules()).filter(({ state }) => state === 'firing').map(({ name }) => name);
  }

  async rules(): Promise<readonly RuleState[]> {
    const { groups } = await this.ask<{ groups: { rules: RuleState[] }[] }>('rules');
    return groups.flatMap((group) => group.rules);
  }

  /** The only sample of a query; `NaN` when there is none. */
  async value(query: string): Promise<number> {
    const { result } = await this.ask<{ result: { value: [number, string] }[] }>(
      `query?query=${encodeURIComponent(query)}`,
    );
    return Number(result[0]?.value[1] ?? NaN);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }

  private async becomesReady(): Promise<void> {
    const endsMs = performance.now() + START_WITHIN_MS;
    while (performance.now() < endsMs) {
      const answer = await fetch(`${this.url}/-/ready`).catch(() => null);
      if (answer?.ok === true) return;
      await sleep(200);
    }
    this.child.kill('SIGKILL');
    throw new Error('Prometheus did not start.');
  }

  private async ask<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1/${path}`);
    const { data } = (await answer.json()) as { data: T };
    return data;
  }
}

function shortened(rules: string): string {
  return rules
    .replace(/\[(\d+[mhd])\]/g, (window, length: string) => `[${SHORTENED[length] ?? window}]`)
    .replace(/offset (\d+[mhd])/g, (offset, length: string) => `offset ${SHORTENED[length] ?? offset}`)
    .replace(/for: \d+m/g, 'for: 2s');
}

function configuration(targetPort: number): string {
  return `global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
  - job_name: quickstart
    static_configs:
      - targets: ['127.0.0.1:${String(targetPort)}']
`;
}
