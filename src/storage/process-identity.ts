import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Where process ids mean what they mean here. A host's name alone does not say: containers share one and number their
 * processes anew, and so do machines that were cloned. Linux tells the boot and the namespace.
 */
const HOST = `${hostname().replaceAll(':', '-').slice(0, 80)}~${digest(bootAndNamespace())}`;

/** Names this process in claims and in the attempt journal: `host:pid:random`. */
export const PROCESS_NAME = `${HOST}:${String(process.pid)}:${randomUUID().slice(0, 8)}`;

/** Whether `name` is a process of this machine that has certainly ended; a number used again counts as alive. */
export function isDeadProcess(name: string): boolean {
  const [host, pid] = name.split(':');
  return host === HOST && /^[1-9]\d*$/.test(pid ?? '') && hasEnded(Number(pid));
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function bootAndNamespace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Not Linux: there the name of the host has to do.
    return '';
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
