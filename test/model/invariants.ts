import { grantOf, isHeld, NOTHING, type ModelState } from './model-state.js';
import type { Move } from './scenario.js';

/** What must hold in every state; answers what does not, or `null`. */
export function brokenIn(state: ModelState): string | null {
  if (hasTwoRequestsForOneToken(state)) return 'I-1: two requests for one version are in flight';
  if (state.replayedWhileHeld) return 'I-2: a spent token was replayed while its living successor was held';
  if (isLost(state) && !wasHitInWindow(state)) return 'I-4: the grant is lost, and no fault hit the window';
  if (state.row.status === 'needs_reconnect' && state.row.token === state.upstream.live) {
    return 'I-5: the person is asked to reconnect although the stored token lives';
  }
  return null;
}

/** What no single move may do. */
export function brokenBy(before: ModelState, { kind, name, next }: Move): string | null {
  const isFailover = before.left.failovers > next.left.failovers;
  if (isFailover || kind === 'wish' || name === 'T11 reconnect') return null;
  if (next.row.version < before.row.version) return 'I-3: the version decreased';
  if (obeysThePerson(before) && !obeysThePerson(next)) {
    return before.decidedGrant === NOTHING
      ? 'a disconnected authorization came back to life'
      : 'a reconnect was overwritten by an older refresh';
  }
  return null;
}

/** What must hold when nothing more will happen by itself: every process is idle and no time is waited for. */
export function brokenAtRest(state: ModelState): string | null {
  const { row, upstream } = state;
  if (row.status === 'active' && row.token !== upstream.live)
    return 'I-6: a dead token stays active for ever';
  if (!obeysThePerson(state)) return 'what the person did last is not what stands';
  if (row.status === 'disconnected') {
    return upstream.live === NOTHING || wasHitInWindow(state)
      ? null
      : 'a living grant is left behind by a disconnect';
  }
  if (row.status === 'needs_reconnect' && !wasHitInWindow(state))
    return 'I-4: a reconnect is asked for without need';
  return null;
}

function hasTwoRequestsForOneToken({ processes, orphans }: ModelState): boolean {
  const sent = processes.filter(({ step }) => step === 'sent').map(({ spentToken }) => spentToken);
  const underWay = [...sent, ...orphans];
  return new Set(underWay).size < underWay.length;
}

/** Nobody who works for us has the token that Notion would accept. */
function isLost(state: ModelState): boolean {
  if (state.decidedGrant === NOTHING) return false;
  return state.upstream.live === NOTHING || !isHeld(state, state.upstream.live);
}

/** The window of §7.2 explains the loss of a successor, and of the grant that was then found out by a replay. */
function wasHitInWindow({ upstream, hitInWindow, decidedGrant }: ModelState): boolean {
  if (hitInWindow === NOTHING) return false;
  if (upstream.live === NOTHING) return decidedGrant === NOTHING || grantOf(hitInWindow) === decidedGrant;
  return upstream.live === hitInWindow + 1;
}

function obeysThePerson({ row, decidedGrant }: ModelState): boolean {
  return decidedGrant === NOTHING ? row.status === 'disconnected' : grantOf(row.token) === decidedGrant;
}
