import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Grant } from './grant.book.js';
import type { NotionPerson } from './sample-workspaces.js';
import type { IssuedToken } from './token.register.js';

/** What outlives a restart. */
export interface SavedSimulator {
  readonly clientId: string;
  readonly clientSecret: string;
  /** How many tokens and codes were made. */
  readonly made: number;
  readonly people: readonly NotionPerson[];
  readonly grants: readonly Grant[];
  readonly tokens: readonly IssuedToken[];
}

/** @throws Error naming the file when it is there but cannot be read. */
export function loadSimulator(path: string): SavedSimulator | null {
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SavedSimulator;
  } catch (cause) {
    throw new Error(`${path} does not hold a saved simulator; delete it to start anew.`, { cause });
  }
}

/** Replaces the file in one step, so that a process killed meanwhile leaves the old one or the new one. */
export function saveSimulator(path: string, saved: SavedSimulator): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(saved), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
