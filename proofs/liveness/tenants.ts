import { SECOND_MS, MINUTE_MS } from '../../src/domain/duration.js';
import type { SeededRandom } from '../harness/seeded.random.js';
import type { Grant, NotionWorld } from './notion.world.js';

/** One authorization, and what its user and its job have met. */
export interface Account {
  readonly tenant: Tenant;
  readonly ownerId: string;
  readonly grant: Grant;
  /** Of the authorization; empty before it is connected. */
  id: string;
  connectedAtMs: number;
  /** A job waits for a token. */
  isWaiting: boolean;
  /** When a job first met that the grant is dead, or that the module says so. */
  deadSeenMs: number | null;
  markedAtMs: number | null;
  heardAtMs: number | null;
  /** Reported already, so that one fault is one violation. */
  readonly reported: Set<string>;
}

/** One customer: people, workspaces, and jobs that call at a rhythm of their own. */
export interface Tenant {
  readonly name: string;
  readonly accounts: Account[];
  periodMs: number;
  /** Calls of one job at the same time, each to another replica. */
  parallel: number;
  /** How long an access token lives. */
  tokenLifeMs: number;
}

export interface TenantShape {
  readonly name: string;
  readonly accounts: number;
  readonly periodMs: number;
  readonly parallel: number;
  readonly tokenLifeMs: number;
  /** Whether all of its people are in one workspace; else one owner has many. */
  readonly isOneWorkspace: boolean;
}

export function makeTenant(world: NotionWorld, shape: TenantShape): Tenant {
  const { name, accounts, periodMs, parallel, tokenLifeMs, isOneWorkspace } = shape;
  const tenant: Tenant = { name, accounts: [], periodMs, parallel, tokenLifeMs };
  for (let number = 0; number < accounts; number++) {
    const part = `${name}-${String(number)}`;
    const workspaceId = isOneWorkspace ? `ws-${name}` : `ws-${part}`;
    const ownerId = isOneWorkspace ? part : name;
    tenant.accounts.push({
      tenant,
      ownerId,
      grant: world.grant(`bot-${part}`, workspaceId, `user-${ownerId}`),
      id: '',
      connectedAtMs: 0,
      isWaiting: false,
      deadSeenMs: null,
      markedAtMs: null,
      heardAtMs: null,
      reported: new Set(),
    });
  }
  return tenant;
}

/** Most are small; every tenth is a company. */
export function usualShape(random: SeededRandom, number: number): TenantShape {
  const isCompany = number % 10 === 0;
  return {
    name: `t${String(number)}`,
    accounts: isCompany ? random.whole(8, 10) : random.whole(1, 3),
    periodMs: random.whole(isCompany ? MINUTE_MS : 5 * MINUTE_MS, 15 * MINUTE_MS),
    parallel: isCompany ? 2 : 1,
    tokenLifeMs: random.whole(40 * MINUTE_MS, 100 * MINUTE_MS),
    isOneWorkspace: random.chance(0.5),
  };
}

/** How long a job waits before it calls again after a failure. */
export function retryAfterMs(failures: number): number {
  return failures <= 15 ? 2 * SECOND_MS : 5 * SECOND_MS;
}
