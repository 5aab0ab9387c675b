import 'reflect-metadata';
import { HOUR_MS } from '../src/domain/duration.js';
import { prove } from './harness/proof.js';
import { describeViolation } from './liveness/bounds.js';
import { Fleet } from './liveness/fleet.js';
import { carryOutFaults } from './liveness/fault.plan.js';
import { FleetWorld } from './liveness/fleet.world.js';
import { makeTenant, usualShape } from './liveness/tenants.js';

await prove('liveness', async (proof) => {
  process.setMaxListeners(0);
  const hours = Number(process.env['HOURS'] ?? 1);
  const t = process.hrtime.bigint();
  const world = await FleetWorld.open(proof.seed);
  const tenants = Array.from({ length: 60 }, (_, n) => makeTenant(world.notion, usualShape(world.random, n)));
  const fleet = new Fleet(world, tenants);
  const begun = fleet.begin();
  await world.time.runUntil(1_000);
  await begun;
  void carryOutFaults(fleet, hours * HOUR_MS);
  await world.time.runUntil(hours * HOUR_MS);
  fleet.end();
  const digest = world.digest();
  const rows = await world.server.look('SELECT COUNT(*) n FROM notion_refresh_attempt');
  await world.close();
  console.log(digest, fleet.accounts.length, fleet.judge.served, Math.max(...fleet.judge.longestMs.values()), world.notion.rotations, rows, fleet.judge.violations.length, world.notion.replays, fleet.judge.deaths, fleet.judge.faultsCarriedOut, fleet.judge.violations.slice(0,60).map(describeViolation).join('\n'), Number(process.hrtime.bigint() - t) / 1e9);
});
