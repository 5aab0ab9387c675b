import { SECOND_MS } from '../domain/duration.js';
import type { RowAtInstant } from './authorization-rows.js';
import { DatabaseTimelineEntity } from './database-timeline.entity.js';
import { closeGate, openGates, type GateSession } from './refresh-gates.js';

/** 2025-01-01T00:00:00Z. Seconds since then fit a 32-bit integer until 2093. */
const EPOCH_MS = 1_735_689_600_000;

/**
 * Compares the server that this transaction runs on with the noted one. Where they differ, moves the note and closes
 * the `failover` gate for `holdMs`, which then holds for all processes; of those that notice, one does it.
 *
 * `wasSeen` means that this process has met this server shortly before the note named another. Then the servers share
 * their data and take turns: nothing is lost, the note stays, and the gate is opened again.
 */
export async function noteTimeline(
  session: GateSession,
  timeline: string,
  { holdMs, wasSeen }: { readonly holdMs: number; readonly wasSeen: boolean },
): Promise<'noted' | 'alternates'> {
  const noted = await readNote(session);
  if (noted === null) await insertNote(session, timeline);
  else if (noted.timeline !== timeline) {
    if (wasSeen) {
      await openGates(session, ['failover']);
      return 'alternates';
    }
    if (await moveNote(session, timeline)) await closeGate(session, 'failover', holdMs);
  }
  return 'noted';
}

/** For a role that cannot read the server's identity: what another process noted. */
export async function notedTimeline(session: GateSession): Promise<string | null> {
  return (await readNote(session))?.timeline ?? null;
}

/**
 * Guard `bumpOutranksForgotten`: the version of a reconnect or a disconnect. Where commits may have been forgotten,
 * `version + 1` may have been given out before, and a late pair of that time would match it. The clock is past every
 * number that refreshes could have counted up to.
 */
export async function versionOfUserChange(
  session: GateSession,
  { row, nowMs }: RowAtInstant,
): Promise<number> {
  const next = row.version + 1;
  const noted = await readNote(session);
  const mayRepeat = noted !== null && noted.changedAt !== null;
  return mayRepeat ? Math.max(next, Math.floor((nowMs - EPOCH_MS) / SECOND_MS)) : next;
}

function readNote({ manager, clientId }: GateSession): Promise<DatabaseTimelineEntity | null> {
  return manager
    .createQueryBuilder(DatabaseTimelineEntity, 'n')
    .where('n.clientId = :clientId', { clientId })
    .getOne();
}

async function insertNote({ manager, clientId }: GateSession, timeline: string): Promise<void> {
  await manager
    .createQueryBuilder()
    .insert()
    .into(DatabaseTimelineEntity)
    .values({ clientId, timeline, changedAt: null })
    .updateEntity(false)
    .callListeners(false)
    .execute();
}

async function moveNote({ manager, dialect, clientId }: GateSession, timeline: string): Promise<boolean> {
  const moved = await manager
    .createQueryBuilder()
    .update(DatabaseTimelineEntity)
    .set({ timeline, changedAt: () => dialect.now })
    .where('client_id = :clientId AND timeline <> :timeline', { clientId, timeline })
    .updateEntity(false)
    .callListeners(false)
    .execute();
  return moved.affected === 1;
}
