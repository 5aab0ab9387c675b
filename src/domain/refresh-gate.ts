/**
 * What holds back every refresh of the client, over all processes, until a time in the database.
 *
 * - `rate_limit`: Notion asked to wait (`Retry-After`). Opens by itself.
 * - `configuration`: Notion refuses the client's own credentials. After its time one attempt probes.
 * - `mass_dead`: the refresh tokens of so many tenants were rejected at once that the fault is more likely ours. After
 *   its time one attempt at a time probes.
 * - `failover`: the database is another server than before and may have lost its last commits; whoever holds a newer
 *   pair puts it back first. Opens by itself.
 */
export const REFRESH_GATES = ['rate_limit', 'configuration', 'mass_dead', 'failover'] as const;
export type RefreshGate = (typeof REFRESH_GATES)[number];
