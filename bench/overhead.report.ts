import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The control is another without anything: how far apart are two that do the same. */
export const SIDES = ['watched', 'bare', 'control'] as const;
export type Side = (typeof SIDES)[number];

export interface RoundsOrder {
  readonly rounds: number;
  readonly warmUp: number;
  /** Of one round. */
  readonly calls: number;
  readonly parallel: number;
}

export interface Round {
  /** Calls per second. */
  readonly rate: number;
  /** Microseconds of this process, whatever else the machine did. */
  readonly cpuPerCall: number;
}

export interface OverheadReport {
  readonly rounds: Readonly<Record<Side, readonly Round[]>>;
  readonly eventsHeard: number;
  /** What Prometheus is told at the end. */
  readonly series: string;
}

/** In a process of its own, whose log goes nowhere: that it is written is what costs. */
export async function reportOfRounds(notionUrl: string, order: RoundsOrder): Promise<OverheadReport> {
  const program = fileURLToPath(new URL('./overhead.process.js', import.meta.url));
  const child = fork(program, [notionUrl, JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const gone = once(child, 'exit');
  const [report] = (await Promise.race([once(child, 'message'), gone])) as [OverheadReport | number | null];
  await gone;
  if (typeof report !== 'object' || report === null) throw new Error('The applications ended early.');
  return report;
}
