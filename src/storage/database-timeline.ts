import { SECOND_MS } from '../domain/duration.js';
import type { RowAtInstant } from './authorization-rows.js';
import { DatabaseTimelineEntity } from './database-timeline.entity.js';
import { closeGate, type GateSession } from './refresh-gates.js';

/** 2025-01-01T00:00:00Z. Seconds since then fit a 32-bit integer until 2093. */
const EPOCH_MS = 1_735_689_600_000;

/**
 * Notes who answers, and closes the `failover` gate when it is not who wrote the data last. Of all processes that
 * notice, one moves the note and closes the gate, which then holds for all.
 */
export async function noteTimeline(session: GateSession, timeline: string, holdMs: number): Promise<void> {
  const noted = await readNote(session);
  if (noted === null) return insertNote(session, timeline);
  if (noted.timeline !== timeline && (await moveNote(session, timeline))) {
    await closeGate(session, 'failover', holdMs);
  }
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
