import type { Claim, ClaimRefusal } from '../domain/authorization-store.js';
import { SECOND_MS } from '../domain/duration.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import { fromNow } from './database-time.js';
import { RefreshGateEntity } from './refresh-gate.entity.js';
import type { StoreSession } from './store-session.js';

/** While a breaker is probed, at most one attempt of all processes is sent in this time. */
const PROBE_EVERY_MS: Readonly<Partial<Record<RefreshGate, number>>> = {
  configuration: 30 * SECOND_MS,
  mass_dead: 5 * SECOND_MS,
};

/** What a probe must have ended in to open its gate; any other end teaches nothing, and the next probe comes in time. */
const OPENED_BY: Readonly<Partial<Record<RefreshGate, readonly AttemptOutcome[]>>> = {
  // Whatever Notion says of the grant, it accepted the client's credentials first.
  configuration: ['success', 'dead', 'lost'],
  mass_dead: ['success'],
};

/** Whether a gate that was closed until so long from now keeps refreshes back: until its probe, where it has one. */
export function isHoldingBack(gate: RefreshGate, leftMs: number): boolean {
  return leftMs > 0 || OPENED_BY[gate] !== undefined;
}

/** Gates hold no secret, so moving one needs no seals. */
export type GateSession = Pick<StoreSession, 'manager' | 'dialect' | 'clientId'>;

export type GatePassage =
  | { readonly kind: 'open' }
  | { readonly kind: 'probe'; readonly gate: RefreshGate }
  | Extract<ClaimRefusal, { kind: 'postponed' }>;

/** Whether a claim of this client may be made now, and whether only as a probe. */
export async function gatePassage(session: StoreSession): Promise<GatePassage> {
  const closed = await closedGates(session);
  const standing = closed
    .filter(({ leftMs }) => leftMs > 0)
    .sort((one, other) => other.leftMs - one.leftMs)[0];
  if (standing !== undefined) {
    return { kind: 'postponed', retryInMs: standing.leftMs, gate: standing.gate };
  }
  const probed = closed.find(({ gate }) => OPENED_BY[gate] !== undefined);
  return probed === undefined ? { kind: 'open' } : { kind: 'probe', gate: probed.gate };
}

/** Of all processes exactly one becomes the probe; the others see the gate closed for another while. */
export async function becomeProbe(
  { manager, dialect, clientId }: StoreSession,
  gate: RefreshGate,
): Promise<Extract<ClaimRefusal, { kind: 'postponed' }> | null> {
  const pushed = await manager
    .createQueryBuilder()
    .update(RefreshGateEntity)
    .set({ closedUntil: () => fromNow(dialect, probeEveryMs(gate)) })
    .where('client_id = :clientId AND gate = :gate', { clientId, gate })
    .andWhere(`closed_until <= ${dialect.now}`)
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return pushed.affected === 1 ? null : notThisTime(gate);
}

/** For an authorization that must leave the probe to another one. */
export function notThisTime(gate: RefreshGate): Extract<ClaimRefusal, { kind: 'postponed' }> {
  return { kind: 'postponed', retryInMs: probeEveryMs(gate), gate };
}

function probeEveryMs(gate: RefreshGate): number {
  return PROBE_EVERY_MS[gate] ?? 0;
}

/** Never shortens what another attempt has closed for longer. @returns whether the gate was open before. */
export async function closeGate(session: GateSession, gate: RefreshGate, forMs: number): Promise<boolean> {
  const { manager, dialect, clientId } = session;
  const standing = await lockGate(session, gate);
  const until = fromNow(dialect, forMs);
  await manager
    .createQueryBuilder()
    .update(RefreshGateEntity)
    .set({
      // First, because MySQL and MariaDB assign from left to right.
      closedSince: () =>
        `CASE WHEN closed_since IS NULL OR closed_until <= ${dialect.now} THEN ${dialect.now} ELSE closed_since END`,
      closedUntil: () => `CASE WHEN closed_until > ${until} THEN closed_until ELSE ${until} END`,
    })
    .where('client_id = :clientId AND gate = :gate', { clientId, gate })
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return standing === null || standing.closedSince === null;
}

export async function openGates(
  { manager, dialect, clientId }: GateSession,
  gates: readonly RefreshGate[],
): Promise<void> {
  if (gates.length === 0) return;
  await manager
    .createQueryBuilder()
    .update(RefreshGateEntity)
    .set({ closedUntil: null, closedSince: null, resetAt: () => dialect.now })
    .where('client_id = :clientId AND gate IN (:...gates)', { clientId, gates })
    .andWhere('closed_until IS NOT NULL')
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** The gates that the end of this attempt opens. */
export function gatesOpenedBy(claim: Claim, outcome: AttemptOutcome): readonly RefreshGate[] {
  const proven = claim.probing !== null && (OPENED_BY[claim.probing] ?? []).includes(outcome);
  const opened = new Set<RefreshGate>(proven ? [claim.probing] : []);
  // Any success proves the client's credentials, whoever had closed the gate.
  if (outcome === 'success') opened.add('configuration');
  return [...opened];
}

export async function readGate(
  { manager, clientId }: GateSession,
  gate: RefreshGate,
): Promise<RefreshGateEntity | null> {
  return manager
    .createQueryBuilder(RefreshGateEntity, 'g')
    .where('g.clientId = :clientId AND g.gate = :gate', { clientId, gate })
    .getOne();
}

/** Nobody else moves the gate, or counts for it, before this transaction ends. Always after the authorization's row. */
export async function lockGate(session: GateSession, gate: RefreshGate): Promise<RefreshGateEntity | null> {
  const { manager, dialect, clientId } = session;
  const row = manager
    .createQueryBuilder(RefreshGateEntity, 'g')
    .where('g.clientId = :clientId AND g.gate = :gate', { clientId, gate });
  const standing = await (dialect.locksRows ? row.setLock('pessimistic_write') : row).getOne();
  if (standing !== null) return standing;
  await manager
    .createQueryBuilder()
    .insert()
    .into(RefreshGateEntity)
    .values({ clientId, gate, closedUntil: null, closedSince: null })
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return null;
}

async function closedGates({
  manager,
  dialect,
  clientId,
}: StoreSession): Promise<{ gate: RefreshGate; leftMs: number }[]> {
  const rows = await manager
    .createQueryBuilder(RefreshGateEntity, 'g')
    .select('g.gate', 'gate')
    .addSelect(`g.closedUntil - ${dialect.now}`, 'left_ms')
    .where('g.clientId = :clientId AND g.closedUntil IS NOT NULL', { clientId })
    .orderBy('g.gate')
    .getRawMany<{ gate: RefreshGate; left_ms: string | number }>();
  return rows.map(({ gate, left_ms: leftMs }) => ({ gate, leftMs: Number(leftMs) }));
}
