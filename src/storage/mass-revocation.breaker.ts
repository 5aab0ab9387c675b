import type { SelectQueryBuilder } from 'typeorm';
import type {
  AttemptEnding,
  Claim,
  HeldBackRejection,
  MassRevocationGuard,
  MassRevocationProbeTokens,
  MassRevocationTending,
} from '../domain/authorization-store.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { MINUTE_MS } from '../domain/duration.js';
import { AuthorizationOwnerEntity } from './authorization-owner.entity.js';
import { NO_ATTEMPT, updateAuthorization } from './authorization-changes.js';
import { lockRow } from './authorization-rows.js';
import { AuthorizationEntity } from './authorization.entity.js';
import { BreakerSuspectEntity } from './breaker-suspect.entity.js';
import { boundFromNow } from './database-time.js';
import { addEvent } from './events.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import { becomeProbe, lockGate, readGate } from './refresh-gates.js';
import type { StoreSession } from './store-session.js';

/** A tenant whose probe did not close the breaker leaves the next probes to others for so long. */
const PROBE_AGAIN_MS = MINUTE_MS;
/** Rejected authorizations that are introspected in one turn of the half-open breaker. */
const EXAMINED_PER_PROBE = 10;
/** Attempts looked at in one statement; where one workspace fills them, the next statement leaves it out. */
const OUTCOMES_PER_LOOK = 200;
const MOST_LOOKS = 3;

export const NOTHING_TO_TEND: MassRevocationTending = { heldBack: [], probe: null };

/** - `believed`: mark it. - `held_back`: the breaker is open. - `tripped`: this one opens it. */
type RejectionVerdict = 'believed' | 'held_back' | 'tripped';

interface TenantOutcome {
  readonly authorizationId: AuthorizationId;
  readonly workspaceId: string;
  readonly isRejection: boolean;
}

/**
 * Decides whether a rejected refresh token says something of one user or of the whole client. The breaker trips when
 * `threshold` of the last `2 × threshold` distinct tenants were rejected within the window. Rejections wait for each
 * other at the breaker's row, so that those which end at once see each other; what they read there is bounded.
 */
export async function judgeRejection(
  session: StoreSession,
  claim: Claim,
  { outcome }: AttemptEnding,
  guard: MassRevocationGuard,
): Promise<RejectionVerdict> {
  if (outcome !== 'dead') return 'believed';
  await lockRow(session, claim.authorizationId);
  const breaker = await lockGate(session, 'mass_dead');
  if (breaker !== null && breaker.closedUntil !== null) return 'held_back';
  const tenants = await lastTenants(session, claim, guard, breaker?.resetAt ?? 0);
  const rejected = tenants.filter(({ isRejection }) => isRejection).length;
  return rejected >= guard.threshold ? 'tripped' : 'believed';
}

/** The newest outcome of each of the last tenants, this claim's first. */
async function lastTenants(
  session: StoreSession,
  claim: Claim,
  { threshold, windowMs }: MassRevocationGuard,
  resetAtMs: number,
): Promise<readonly TenantOutcome[]> {
  const { authorizationId, workspaceId } = claim;
  const newest: TenantOutcome[] = [{ authorizationId, workspaceId, isRejection: true }];
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const seen = newest.map((outcome) => outcome.workspaceId);
    const outcomes = await outcomesOfOthers(session, seen, windowMs, resetAtMs);
    newest.push(...newestOfWorkspaces(outcomes));
    const tenants = await distinctTenants(session, newest);
    if (tenants.length >= 2 * threshold || outcomes.length < OUTCOMES_PER_LOOK) {
      return tenants.slice(0, 2 * threshold);
    }
  }
  return distinctTenants(session, newest);
}

/** @param outcomes - the newest first, and so are those that are left */
function newestOfWorkspaces(outcomes: readonly TenantOutcome[]): TenantOutcome[] {
  const seen = new Set<string>();
  return outcomes.filter(({ workspaceId }) => !seen.has(workspaceId) && seen.add(workspaceId));
}

async function outcomesOfOthers(
  { manager, dialect, clientId }: StoreSession,
  workspaces: readonly string[],
  windowMs: number,
  resetAtMs: number,
): Promise<readonly TenantOutcome[]> {
  const rows = await manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .innerJoin(AuthorizationEntity, 'a', 'a.id = t.authorizationId')
    .select('t.authorizationId', 'id')
    .addSelect('a.workspaceId', 'workspace')
    .addSelect('t.outcome', 'outcome')
    .where(`t.clientId = :clientId AND t.endedAt > ${boundFromNow(dialect, -windowMs)}`, { clientId })
    .andWhere(`t.endedAt > :resetAtMs AND t.outcome IN ('success', 'dead')`, { resetAtMs })
    .andWhere('a.workspaceId NOT IN (:...workspaces)', { workspaces })
    .orderBy('t.endedAt', 'DESC')
    .addOrderBy('t.id')
    .limit(OUTCOMES_PER_LOOK)
    .getRawMany<{ id: AuthorizationId; workspace: string; outcome: string }>();
  return rows.map(({ id, workspace, outcome }) => ({
    authorizationId: id,
    workspaceId: workspace,
    isRejection: outcome === 'dead',
  }));
}

/** Outcomes of different workspaces that share an owner are one tenant's; the first of them counts. */
async function distinctTenants(
  { manager }: StoreSession,
  outcomes: readonly TenantOutcome[],
): Promise<readonly TenantOutcome[]> {
  const links = await manager
    .createQueryBuilder(AuthorizationOwnerEntity, 'o')
    .where('o.authorizationId IN (:...ids)', { ids: outcomes.map(({ authorizationId }) => authorizationId) })
    .getMany();
  const seen = new Set<string>();
  return outcomes.filter(({ authorizationId }) => {
    const owners = links.filter((link) => link.authorizationId === authorizationId);
    const isNew = owners.every(({ ownerId }) => !seen.has(ownerId));
    for (const { ownerId } of owners) seen.add(ownerId);
    return isNew;
  });
}

/** Notes that its tenant must not probe; a rejected one is marked when the breaker closes. */
export async function noteSuspects(
  { manager, dialect, clientId }: StoreSession,
  claims: readonly Pick<Claim, 'authorizationId' | 'workspaceId' | 'spentVersion'>[],
  rejected: boolean,
): Promise<void> {
  const ids = claims.map(({ authorizationId }) => authorizationId);
  await manager
    .createQueryBuilder()
    .delete()
    .from(BreakerSuspectEntity)
    .where('authorization_id IN (:...ids)', { ids })
    .execute();
  await manager
    .createQueryBuilder()
    .insert()
    .into(BreakerSuspectEntity)
    .values(
      claims.map(({ authorizationId, workspaceId, spentVersion }) => ({
        authorizationId,
        clientId,
        workspaceId,
        version: spentVersion,
        rejected,
        notedAt: () => dialect.now,
      })),
    )
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/**
 * For a claim that meets a rejected refresh token (R16): introspection decides about one that the breaker held back, any
 * other is marked.
 * @returns whether the breaker held it back
 */
export async function isHeldBackElseMark(
  session: StoreSession,
  { id: authorizationId, version }: AuthorizationEntity,
): Promise<boolean> {
  const isHeldBack = await session.manager
    .createQueryBuilder(BreakerSuspectEntity, 's')
    .where('s.authorizationId = :authorizationId AND s.version = :version', { authorizationId, version })
    .andWhere('s.rejected = :rejected', { rejected: true })
    .getExists();
  if (!isHeldBack) await markRejected(session, authorizationId, version);
  return isHeldBack;
}

/** Those of `rows` (of the alias `a`) whose tenant may probe: no suspect shares its workspace or one of its owners. */
export function onlyUnsuspected(
  rows: SelectQueryBuilder<AuthorizationEntity>,
  { manager, dialect, clientId }: StoreSession,
): SelectQueryBuilder<AuthorizationEntity> {
  const shared = manager
    .createQueryBuilder(AuthorizationOwnerEntity, 'own')
    .innerJoin(AuthorizationOwnerEntity, 'theirs', 'theirs.ownerId = own.ownerId')
    .select('1')
    .where('own.authorizationId = a.id AND theirs.authorizationId = s.authorizationId');
  const suspects = manager
    .createQueryBuilder(BreakerSuspectEntity, 's')
    .select('1')
    .where('s.clientId = :suspectClient')
    .andWhere(`(s.rejected = :isRejected OR s.notedAt > ${boundFromNow(dialect, -PROBE_AGAIN_MS)})`)
    .andWhere(`(s.workspaceId = a.workspaceId OR EXISTS (${shared.getQuery()}))`);
  return rows.andWhere(`NOT EXISTS (${suspects.getQuery()})`, { suspectClient: clientId, isRejected: true });
}

export async function isSuspected(session: StoreSession, id: AuthorizationId): Promise<boolean> {
  const row = session.manager.createQueryBuilder(AuthorizationEntity, 'a').where('a.id = :id', { id });
  return (await onlyUnsuspected(row, session).getCount()) === 0;
}

/** Whether the breaker is open, or has left something to mark or to forget. */
export async function hasMassRevocationWork(session: StoreSession): Promise<boolean> {
  if (await isOpen(session)) return true;
  const { manager, clientId } = session;
  const suspects = manager.createQueryBuilder(BreakerSuspectEntity, 's');
  return (await suspects.where('s.clientId = :clientId', { clientId }).limit(1).getOne()) !== null;
}

/** @see AuthorizationStore.tendMassRevocation */
export async function tendMassRevocation(
  session: StoreSession,
  limit: number,
): Promise<MassRevocationTending> {
  if (!(await isOpen(session))) {
    await endProbes(session);
    return { heldBack: await heldBack(session, limit), probe: null };
  }
  if ((await becomeProbe(session, 'mass_dead')) !== null) return NOTHING_TO_TEND;
  const probe = (await isContradicted(session)) ? null : await newestUnsuspectedRow(session);
  return {
    heldBack: await heldBack(session, Math.min(limit, EXAMINED_PER_PROBE)),
    probe: probe === null ? null : await lendTokens(session, probe),
  };
}

/**
 * Whether a token that was rejected since the breaker opened was found active afterwards: its rejection is withdrawn,
 * and it is still the stored one. Then introspection proves nothing, and only a refresh that succeeds closes the breaker.
 */
async function isContradicted(session: StoreSession): Promise<boolean> {
  const { manager, clientId } = session;
  const breaker = await readGate(session, 'mass_dead');
  return manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .innerJoin(AuthorizationEntity, 'a', 'a.id = t.authorizationId AND a.version = t.spentVersion')
    .where('t.clientId = :clientId AND t.endedAt >= :openedAtMs', {
      clientId,
      openedAtMs: breaker?.closedSince ?? 0,
    })
    .andWhere(`t.outcome = 'dead' AND a.status = 'active' AND a.refusedRefreshTokenFingerprint IS NULL`)
    .getExists();
}

async function isOpen(session: StoreSession): Promise<boolean> {
  const breaker = await readGate(session, 'mass_dead');
  return breaker !== null && breaker.closedUntil !== null;
}

/** @see AuthorizationStore.concludeRejection */
export async function concludeRejection(
  session: StoreSession,
  { authorizationId, version }: HeldBackRejection,
  isActive: boolean,
): Promise<boolean> {
  await lockRow(session, authorizationId);
  if (isActive) {
    await withdrawRejection(session, authorizationId, version);
    return false;
  }
  if (!(await isOpen(session))) return markRejected(session, authorizationId, version);
  await noteExamined(session, authorizationId);
  return false;
}

/** What introspection calls active was never spent, so it may be presented again in spite of its rejection. */
async function withdrawRejection(
  session: StoreSession,
  authorizationId: AuthorizationId,
  version: number,
): Promise<void> {
  await updateAuthorization(
    session,
    authorizationId,
    { refusedRefreshTokenFingerprint: null, nextAttemptAt: null },
    { guard: `version = :version AND status = 'active'`, parameters: { version } },
  );
  await removeNote(session, authorizationId, version);
}

async function noteExamined(
  { manager, dialect }: StoreSession,
  authorizationId: AuthorizationId,
): Promise<void> {
  await manager
    .createQueryBuilder()
    .update(BreakerSuspectEntity)
    .set({ notedAt: () => dialect.now })
    .where('authorization_id = :authorizationId', { authorizationId })
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

/** Who probed no longer matters once the breaker is closed. */
async function endProbes({ manager, clientId }: StoreSession): Promise<void> {
  await manager
    .createQueryBuilder()
    .delete()
    .from(BreakerSuspectEntity)
    .where('client_id = :clientId AND rejected = :rejected', { clientId, rejected: false })
    .execute();
}

async function heldBack(session: StoreSession, limit: number): Promise<readonly HeldBackRejection[]> {
  const { manager, clientId, seals } = session;
  const notes = await manager
    .createQueryBuilder(BreakerSuspectEntity, 's')
    .where('s.clientId = :clientId AND s.rejected = :rejected', { clientId, rejected: true })
    .orderBy('s.notedAt')
    .addOrderBy('s.authorizationId')
    .limit(limit)
    .getMany();
  if (notes.length === 0) return [];
  const rows = await manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .addSelect('a.sealedRefreshToken')
    .where('a.id IN (:...ids)', { ids: notes.map(({ authorizationId }) => authorizationId) })
    .getMany();
  return notes.map(({ authorizationId, version }) => {
    const row = rows.find(({ id }) => id === authorizationId);
    const refreshToken =
      row?.version === version ? seals.unlessKeyIsLost(() => seals.refreshToken(row)) : null;
    return { authorizationId, version, refreshToken };
  });
}

/** Introspection spends nothing. */
async function lendTokens(
  session: StoreSession,
  row: AuthorizationEntity,
): Promise<MassRevocationProbeTokens | null> {
  const { seals } = session;
  const { id: authorizationId, workspaceId, version: spentVersion } = row;
  await noteSuspects(session, [{ authorizationId, workspaceId, spentVersion }], false);
  const refreshToken = seals.unlessKeyIsLost(() => seals.refreshToken(row));
  if (refreshToken === null) return null;
  const accessToken = seals.unlessKeyIsLost(() => seals.accessToken(row));
  return { refreshToken, accessToken };
}

/** The authorization whose pair is the newest, of a tenant that may probe. */
async function newestUnsuspectedRow(session: StoreSession): Promise<AuthorizationEntity | null> {
  const rows = session.manager
    .createQueryBuilder(AuthorizationEntity, 'a')
    .addSelect(['a.sealedAccessToken', 'a.sealedRefreshToken'])
    .where(`a.clientId = :clientId AND a.status = 'active' AND a.sealedRefreshToken IS NOT NULL`, {
      clientId: session.clientId,
    })
    .orderBy('a.pairStoredAt', 'DESC')
    .addOrderBy('a.id')
    .limit(1);
  return onlyUnsuspected(rows, session).getOne();
}

/** An authorization whose rejected refresh token is still the stored one; otherwise only the note is removed. */
async function markRejected(
  session: StoreSession,
  authorizationId: AuthorizationId,
  version: number,
): Promise<boolean> {
  const { dialect } = session;
  const reason = 'revoked_or_expired';
  const isMarked = await updateAuthorization(
    session,
    authorizationId,
    { ...NO_ATTEMPT, status: 'needs_reconnect', reason, statusSince: () => dialect.now },
    {
      guard: `version = :version AND status = 'active' AND refused_refresh_token_fingerprint IS NOT NULL`,
      parameters: { version },
    },
  );
  if (isMarked) await addEvent(session, { name: 'needs_reconnect', authorizationId, reason });
  await removeNote(session, authorizationId, version);
  return isMarked;
}

async function removeNote(
  { manager }: StoreSession,
  authorizationId: AuthorizationId,
  version: number,
): Promise<void> {
  await manager
    .createQueryBuilder()
    .delete()
    .from(BreakerSuspectEntity)
    .where('authorization_id = :authorizationId AND version = :version', { authorizationId, version })
    .execute();
}
