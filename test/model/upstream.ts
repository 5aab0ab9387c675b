import { grantOf, isHeld, NOTHING, type ModelState, type Token } from './model-state.js';

/**
 * Notion at its strictest: a refresh token is spent by its use, and presenting a spent one revokes the whole grant
 * (RFC 9700 section 4.14.2). Each function changes the state it is given.
 */

/** Processes one refresh request. `true`: the pair after `token` is born. */
export function rotate(state: ModelState, token: Token): boolean {
  const { upstream } = state;
  if (token === upstream.live) {
    upstream.live = token + 1;
    return true;
  }
  const isReplay = upstream.live !== NOTHING && grantOf(token) === grantOf(upstream.live);
  if (isReplay) {
    if (isHeld(state, upstream.live)) state.replayedWhileHeld = true;
    upstream.live = NOTHING;
  }
  return false;
}

/** The person connects again: a new grant, and the one before it ends. */
export function authorizeAgain(state: ModelState): Token {
  const { upstream } = state;
  upstream.grants += 1;
  upstream.live = upstream.grants * 10 + 1;
  return upstream.live;
}

/** Revoking a token that is dead already changes nothing. */
export function revoke(state: ModelState, token: Token): void {
  if (token === state.upstream.live) state.upstream.live = NOTHING;
}
