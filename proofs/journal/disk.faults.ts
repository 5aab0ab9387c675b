import type { SeededRandom } from '../harness/seeded.random.js';
import { real, type DiskCall, type DiskFault } from './faulty.disk.js';

const CODES: Readonly<Partial<Record<DiskCall, readonly string[]>>> = {
  openSync: ['EMFILE', 'ENFILE', 'ENOSPC', 'EACCES', 'EROFS', 'EIO'],
  writeSync: ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'],
  fsyncSync: ['EIO', 'ENOSPC', 'EINVAL', 'ENOTSUP'],
  fdatasyncSync: ['EIO', 'ENOSPC', 'EDQUOT'],
  closeSync: ['EIO'],
  fstatSync: ['EIO'],
  readFileSync: ['EIO', 'EISDIR'],
  readdirSync: ['EMFILE', 'EIO', 'EACCES'],
  mkdirSync: ['EROFS', 'EACCES', 'ENOSPC'],
  rmSync: ['EPERM', 'EROFS'],
  statSync: ['EIO', 'EACCES'],
  lstatSync: ['EIO'],
};
const SECTOR_BYTES = 512;

/** Bytes of a file that a fault of the disk itself changed: `from` included, `to` not. */
export interface DamagedRange {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

/** A fault of any kind, for one piece of work. */
export function anyFault(random: SeededRandom, files: readonly string[]): DiskFault {
  const dice = random.next();
  if (dice < 0.4) return anyError(random);
  if (dice < 0.6) {
    return { kind: 'short', nth: random.whole(1, 3), share: random.next(), thenFull: random.chance(0.6) };
  }
  if (dice < 0.75 && files.length > 0) {
    const code = random.one(['EACCES', 'EIO', 'EMFILE', 'EISDIR', 'EPERM']);
    return { kind: 'unreadable', path: random.one(files), code };
  }
  return { kind: 'crash', nth: random.whole(1, 12), share: random.next(), power: random.chance(0.5) };
}

function anyError(random: SeededRandom): DiskFault {
  const call = random.one(Object.keys(CODES) as DiskCall[]);
  const code = random.one(CODES[call]!);
  return { kind: 'error', call, code, nth: random.whole(1, 3), lasts: random.chance(0.5) };
}

/** Changes a file as a failing disk does. */
export function damageFile(random: SeededRandom, path: string): DamagedRange {
  const bytes = real.readFileSync(path);
  // Most of a new file is still unused; what is there is more worth damaging.
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const at = random.whole(0, Math.max(0, (random.chance(0.8) ? used : bytes.length) - 1));
  const { mtimeMs } = real.statSync(path);
  const damage = damageAt(random, path, bytes, at);
  real.utimesSync(path, mtimeMs / 1_000, mtimeMs / 1_000);
  return damage;
}

function damageAt(random: SeededRandom, path: string, bytes: Buffer, at: number): DamagedRange {
  const dice = random.next();
  if (dice < 0.2) {
    real.truncateSync(path, at);
    return { kind: 'truncated', from: at, to: Infinity };
  }
  const damage = dice < 0.4 ? lostSector(bytes, at) : changedBits(random, bytes, at);
  real.writeFileSync(path, bytes);
  return damage;
}

function lostSector(bytes: Buffer, at: number): DamagedRange {
  const from = at - (at % SECTOR_BYTES);
  const to = Math.min(bytes.length, from + SECTOR_BYTES);
  bytes.fill(0, from, to);
  return { kind: 'sector lost', from, to };
}

function changedBits(random: SeededRandom, bytes: Buffer, at: number): DamagedRange {
  const to = Math.min(bytes.length, at + random.whole(1, 4));
  for (let index = at; index < to; index += 1) bytes[index]! ^= random.whole(1, 255);
  return { kind: 'bits changed', from: at, to };
}
