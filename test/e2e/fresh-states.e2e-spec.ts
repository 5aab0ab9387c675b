import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { ConnectApp, REDIRECT_URI } from '../support/connect.app.js';

const STARTS = 2;
const BATCHES = 100;
const AT_ONCE = 50;

let simulator: NotionSimulator;
const states: string[] = [];

beforeAll(async () => {
  simulator = await NotionSimulator.start({ redirectUris: [REDIRECT_URI] });
  for (let start = 0; start < STARTS; start += 1) await connectMany();
}, 120_000);

afterAll(async () => {
  await simulator.close();
});

async function connectMany(): Promise<void> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'notion-states-'));
  const { url: notionUrl, clientId, clientSecret } = simulator;
  const app = await ConnectApp.start({ notionUrl, clientId, clientSecret, folder });
  try {
    for (let batch = 0; batch < BATCHES; batch += 1) {
      const departures = Array.from({ length: AT_ONCE }, (_, n) =>
        app.connect.authorizeUrl({ ownerId: `owner-of-many-${n}` }),
      );
      for (const { url } of await Promise.all(departures)) {
        states.push(new URL(url).searchParams.get('state')!);
      }
    }
  } finally {
    await app.close();
    rmSync(folder, { recursive: true });
  }
}

describe('the states of 10,000 connects over two starts', () => {
  it('A1: are fresh, each with 256 bits', () => {
    expect(new Set(states).size).toBe(STARTS * BATCHES * AT_ONCE);
    expect(states.filter((state) => !/^[A-Za-z0-9_-]{43}$/.test(state))).toEqual([]);
  });

  it('A1: have no character at any place more often than chance has it: nothing counts or tells the time', () => {
    const expected = states.length / 64;
    for (let at = 0; at < 42; at += 1) {
      const seen = new Map<string, number>();
      for (const state of states) seen.set(state[at]!, (seen.get(state[at]!) ?? 0) + 1);
      expect(seen.size).toBe(64);
      expect(Math.max(...seen.values())).toBeLessThan(expected * 1.6);
    }
  });
});
