import { MINUTE_MS } from '../../src/domain/duration.js';
import { AccessTokenCache } from '../../src/refresh/access-token.cache.js';
import { NotionRefreshService } from '../../src/refresh/notion-refresh.service.js';
import { NotionTokenService } from '../../src/refresh/notion-token.service.js';
import { PairCustody } from '../../src/refresh/pair.custody.js';
import type { FleetReplica } from './fleet.replica.js';
import type { Fleet } from './fleet.js';
import { EVENTS_KEPT_MS } from './fleet.world.js';

/** How often each process clears away events, and a little. */
const PRUNED_WITHIN_MS = 15 * MINUTE_MS;
/** More than a replica has when nothing goes on. */
const TIMERS_OF_A_REPLICA = 25;
/** An attempt whose outcome is unknown is looked at every 15 s, and each look is an attempt of its own. */
const ATTEMPTS_OF_A_REQUEST = 3;
const SPARE_ATTEMPTS = 1_000;
/** Breakers that there may be. */
const MOST_BREAKERS = 8;

/** Something that could grow, and what it may have grown to. */
export interface Growth {
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
}

/** After jobs have ended, and what they had set off. */
export async function measureGrowth(fleet: Fleet): Promise<Growth[]> {
  return [...(await tables(fleet)), ...memory(fleet)];
}

async function tables({ world, accounts }: Fleet): Promise<Growth[]> {
  const { server, notion } = world;
  const all = accounts.length;
  const attempts = ATTEMPTS_OF_A_REQUEST * notion.requests + SPARE_ATTEMPTS;
  const keptSince = `${server.dialect.now} - ${String(EVENTS_KEPT_MS + PRUNED_WITHIN_MS)}`;
  const bounds: readonly (readonly [string, number])[] = [
    ['notion_authorization', all],
    ['notion_authorization_owner', all],
    ['notion_refresh_attempt', attempts],
    ['notion_refresh_gate', MOST_BREAKERS],
    ['notion_breaker_suspect', 0],
    ['notion_database_timeline', 1],
    ['notion_revocation', 0],
    ['notion_oauth_state', 0],
    ['notion_webhook_event', 0],
    [`notion_event WHERE created_at < ${keptSince}`, 0],
    [`notion_authorization WHERE lease_until > ${server.dialect.now}`, 0],
  ];
  const measured: Growth[] = [];
  for (const [table, atMost] of bounds) {
    const [row] = await server.look<{ rows: number }>(`SELECT COUNT(*) AS rows FROM ${table}`);
    measured.push({ what: table.replace(/ <.*| >.*/, ''), value: row!.rows, atMost });
  }
  return measured;
}

function memory({ world, ready, accounts }: Fleet): Growth[] {
  const sum = (measure: (replica: FleetReplica) => number) =>
    ready.reduce((total, replica) => total + measure(replica), 0);
  const of = (part: Parameters<FleetReplica['sizeOf']>[0], field: string) =>
    sum((replica) => replica.sizeOf(part, field));
  return [
    { what: 'calls that never ended', value: sum(({ waitedFor }) => waitedFor.size), atMost: 0 },
    { what: 'refreshes under way', value: of(NotionRefreshService, 'flights'), atMost: 0 },
    { what: 'versions looked up', value: of(NotionRefreshService, 'looks'), atMost: 0 },
    { what: 'tokens read', value: of(NotionTokenService, 'reads'), atMost: 0 },
    { what: 'pairs not stored', value: of(PairCustody, 'pending'), atMost: 0 },
    { what: 'pairs retained', value: of(PairCustody, 'retained'), atMost: 0 },
    {
      what: 'access tokens kept',
      value: of(AccessTokenCache, 'tokens'),
      atMost: ready.length * accounts.length,
    },
    { what: 'timers', value: world.time.waiting, atMost: (ready.length + 1) * TIMERS_OF_A_REPLICA },
  ];
}
