import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { SeededRandom } from '../harness/seeded.random.js';

/** The file system as it is without faults, for the proof's own work. */
export const real = { ...fs };

const SECTOR_BYTES = 512;

/** Every call by which the journal reaches the disk. */
const CALLS = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'fdatasyncSync',
  'closeSync',
  'fstatSync',
  'readFileSync',
  'readdirSync',
  'mkdirSync',
  'rmSync',
  'statSync',
  'lstatSync',
] as const;
export type DiskCall = (typeof CALLS)[number];

export type DiskFault =
  /** One call fails, or all from there on. */
  | {
      readonly kind: 'error';
      readonly call: DiskCall;
      readonly nth: number;
      readonly code: string;
      readonly lasts: boolean;
    }
  /** A write stores a part; the next one goes on, or finds the disk full. */
  | { readonly kind: 'short'; readonly nth: number; readonly share: number; readonly thenFull: boolean }
  /** A file cannot be opened. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly code: string }
  /** The process ends before a call, in the middle of it when it is a write; with the power, or without. */
  | { readonly kind: 'crash'; readonly nth: number; readonly share: number; readonly power: boolean };

interface Write {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly before: Buffer;
}

/** What one piece of work did to the disk. */
export interface DiskWork<Result> {
  readonly result: Result | undefined;
  /** What came out of the journal although nothing may. */
  readonly thrown: unknown;
  readonly fired: boolean;
  readonly crashed: boolean;
  /** Since the last whole file was synchronised. */
  readonly writes: readonly Write[];
}

class ProcessEnd extends Error {}

/** Stands between the journal and the real disk: the bindings of `node:fs`, in this process alone. */
export class FaultyDisk {
  private fault: DiskFault | null = null;
  private readonly counts = new Map<DiskCall | 'any', number>();
  private fired = false;
  private dead = false;
  private writes: Write[] = [];
  private unsynced: Write[] = [];
  private owner: object = this;
  private readonly open = new Map<number, { readonly path: string; readonly owner: object }>();

  constructor(
    private readonly random: SeededRandom,
    private readonly nowMs: () => number,
  ) {
    const patched = Object.fromEntries(
      CALLS.map((call) => [call, (...given: unknown[]) => this.carryOut(call, given)]),
    );
    Object.assign(fs, patched);
    syncBuiltinESMExports();
  }

  /** Puts the real file system back. */
  remove(): void {
    for (const call of CALLS) Object.assign(fs, { [call]: real[call] });
    syncBuiltinESMExports();
  }

  /** Runs one piece of work of a process, under a fault. */
  run<Result>(owner: object, fault: DiskFault | null, work: () => Result): DiskWork<Result> {
    Object.assign(this, { owner, fault, fired: false, dead: false, writes: [], unsynced: [] });
    this.counts.clear();
    let result: Result | undefined;
    let thrown: unknown;
    try {
      result = work();
    } catch (error) {
      thrown = error;
    }
    if (this.dead && fault?.kind === 'crash' && fault.power) this.losePower();
    if (this.dead) this.closeAllOf(owner);
    this.fault = null;
    const { fired, dead: crashed, writes } = this;
    this.dead = false;
    return { result, thrown: crashed ? undefined : thrown, fired, crashed, writes };
  }

  private carryOut(call: DiskCall, given: unknown[]): unknown {
    if (this.dead) throw new ProcessEnd();
    const nth = this.count(call);
    const { fault } = this;
    if (fault?.kind === 'crash' && this.count('any') === fault.nth) this.crash(call, given, fault.share);
    if (fault?.kind === 'error' && fault.call === call && isMet(fault, nth)) {
      // A descriptor is gone also when closing it fails.
      if (call === 'closeSync') this.pass(call, given);
      this.fail(fault.code);
    }
    if (fault?.kind === 'unreadable' && call === 'openSync' && given[0] === fault.path) this.fail(fault.code);
    if (call === 'writeSync') return this.write(given, nth);
    if (call === 'fsyncSync' || call === 'fdatasyncSync') {
      this.synchronise(call, given[0] as number);
      return undefined;
    }
    return this.pass(call, given);
  }

  private pass(call: DiskCall, given: unknown[]): unknown {
    const result = (real[call] as (...given: unknown[]) => unknown)(...given);
    if (call === 'openSync') this.open.set(result as number, { path: String(given[0]), owner: this.owner });
    if (call === 'closeSync') this.open.delete(given[0] as number);
    return result;
  }

  private count(call: DiskCall | 'any'): number {
    const count = (this.counts.get(call) ?? 0) + 1;
    this.counts.set(call, count);
    return count;
  }

  private write(given: unknown[], nth: number): number {
    const [descriptor, bytes, from, length, position] = given as [number, Buffer, number, number, number];
    const { fault } = this;
    let stored = length;
    if (fault?.kind === 'short' && nth === fault.nth) {
      this.fired = true;
      stored = Math.floor(length * fault.share);
    }
    if (fault?.kind === 'short' && fault.thenFull && nth > fault.nth) this.fail('ENOSPC');
    this.store(descriptor, bytes.subarray(from, from + stored), position);
    return stored;
  }

  private store(descriptor: number, bytes: Buffer, offset: number): void {
    const path = this.open.get(descriptor)!.path;
    const before = Buffer.alloc(bytes.length);
    const reader = real.openSync(path, 'r');
    real.readSync(reader, before, 0, before.length, offset);
    real.closeSync(reader);
    real.writeSync(descriptor, bytes, 0, bytes.length, offset);
    // A file is as old as the clock of the journal says.
    real.futimesSync(descriptor, this.nowMs() / 1_000, this.nowMs() / 1_000);
    const write = { path, offset, length: bytes.length, before };
    this.writes.push(write);
    this.unsynced.push(write);
  }

  /** What a machine keeps that loses its power is decided here, so nothing is really synchronised. */
  private synchronise(call: DiskCall, descriptor: number): void {
    if (call === 'fsyncSync') this.writes = [];
    this.unsynced = this.unsynced.filter(({ path }) => path !== this.open.get(descriptor)?.path);
  }

  private fail(code: string): never {
    this.fired = true;
    throw Object.assign(new Error(code), { code });
  }

  private crash(call: DiskCall, given: unknown[], share: number): never {
    this.fired = true;
    if (call === 'writeSync') {
      const [descriptor, bytes, from, length, position] = given as [number, Buffer, number, number, number];
      this.store(descriptor, bytes.subarray(from, from + Math.floor(length * share)), position);
    }
    this.dead = true;
    throw new ProcessEnd();
  }

  /** As the kernel does for a process that ends. */
  private closeAllOf(owner: object): void {
    for (const [descriptor, of] of [...this.open])
      if (of.owner === owner) this.pass('closeSync', [descriptor]);
  }

  /** Of what was not synchronised, each sector is on disk or is not. */
  private losePower(): void {
    for (const { path, offset, before } of this.unsynced.reverse()) {
      if (!real.existsSync(path)) continue;
      const descriptor = real.openSync(path, 'r+');
      for (let from = 0; from < before.length;) {
        const to = Math.min(before.length, from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES));
        if (this.random.chance(0.5)) real.writeSync(descriptor, before, from, to - from, offset + from);
        from = to;
      }
      real.closeSync(descriptor);
    }
  }
}

function isMet({ nth: from, lasts }: Extract<DiskFault, { kind: 'error' }>, nth: number): boolean {
  return lasts ? nth >= from : nth === from;
}
