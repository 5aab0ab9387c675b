import { FigureReport, type Figure } from './figures.js';
import { Leftovers } from './leftovers.js';
import { readOptions, type Engine, type ProofOptions, type ProofSize } from './proof.options.js';
import { SeededRandom } from './seeded.random.js';

const PROGRESS_EVERY_MS = 2_000;
/** Of this machine, also while a proof runs in virtual time. */
const nowMs = performance.now.bind(performance);

/** One run of one proof: its size and seed, what it has measured, what it must clear up. */
export class Proof {
  readonly size: ProofSize;
  readonly seed: number;
  readonly random: SeededRandom;
  readonly leftovers = new Leftovers();
  private readonly report: FigureReport;
  private readonly startedMs = nowMs();
  private lastToldMs = -Infinity;
  private brokenOff = 0;

  constructor(
    readonly name: string,
    private readonly options: ProofOptions,
  ) {
    this.size = options.size;
    this.seed = options.seed;
    this.random = new SeededRandom(options.seed);
    this.report = new FigureReport(
      { proof: name, size: options.size, seed: options.seed },
      options.sharedMachine,
    );
  }

  pick<T>(sizes: Readonly<Record<ProofSize, T>>): T {
    return sizes[this.size];
  }

  /** False when the command line asked for another engine only. */
  wants(engine: Engine): boolean {
    return this.options.engine === null || this.options.engine === engine;
  }

  figure(figure: Figure): void {
    this.report.add(figure);
  }

  /** A line for people; lines that come too fast are left out. */
  progress(what: string): void {
    if (nowMs() - this.lastToldMs >= PROGRESS_EVERY_MS) this.say(what);
  }

  /** A line for people that is never left out. */
  say(what: string): void {
    this.lastToldMs = nowMs();
    const seconds = ((this.lastToldMs - this.startedMs) / 1_000).toFixed(1);
    process.stderr.write(`[${this.name} ${seconds} s] ${what}\n`);
  }

  /**
   * Loud, because a bound that was not looked at is not a bound that held.
   * @throws Error under `CI=true`, where everything that the proofs need is installed.
   */
  skip(part: string, why: string): void {
    process.stdout.write(`${JSON.stringify({ proof: this.name, skipped: part, why })}\n`);
    this.say(`SKIPPED ${part}: ${why}`);
    if (process.env['CI'] === 'true') throw new Error(`Skipped ${part}: ${why}.`);
  }

  /** @returns The exit code. */
  async run(body: (proof: Proof) => Promise<void>): Promise<number> {
    this.say(`size ${this.size}, seed ${this.seed}`);
    try {
      await body(this);
    } catch (error) {
      this.brokenOff = 1;
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    }
    await this.leftovers.clear();
    this.report.print(this.brokenOff);
    return this.report.missed + this.brokenOff > 0 ? 1 : 0;
  }
}

/** Runs a proof as a program: command line in, figures out, exit code. */
export async function prove(name: string, body: (proof: Proof) => Promise<void>): Promise<void> {
  const proof = new Proof(name, readOptions());
  // Nothing is left running by now, but a handle that a library forgot must not hold the next proof up.
  process.exit(await proof.run(body));
}
