import { expect, it } from '@jest/globals';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { disconnectContract } from '../contracts/disconnect.contract.js';
import { NotionApp } from '../support/notion-app.js';
import { sqlite } from '../support/storage.harness.js';

disconnectContract(sqlite);

it('looks for revocations without holding the process open', async () => {
  const simulator = await NotionSimulator.start();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const app = await NotionApp.start(simulator, { databaseFile: ':memory:' });
  expect(timers()).toBe(before);
  await app.close();
  await simulator.close();
});
