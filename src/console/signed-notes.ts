import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import { MINUTE_MS } from '../domain/duration.js';
import { Secret } from '../domain/secret.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { isActionName, type ActionName } from './action-names.js';

const SHOWN_FOR_MS = 5 * MINUTE_MS;
const SHAPE = /^([a-z-]+)\.([\w-]{1,40})\.(\d{1,4})\.(\d{1,15})\.([\w-]{43})$/;

/** What an action came to. */
export interface Note {
  readonly action: ActionName;
  readonly outcome: string;
  /** How many owners it was done for; 0 where it is not about owners. */
  readonly owners: number;
}

/**
 * Carries the outcome of an action over the redirect to the page that shows it. Signed for the one authorization, and
 * good for minutes: nobody can make the console say what did not happen.
 */
@Injectable()
export class SignedNotes {
  constructor(
    private readonly cipher: TokenCipher,
    private readonly clock: Clock,
  ) {}

  write(authorizationId: string, { action, outcome, owners }: Note): string {
    const text = [action, outcome, owners, this.clock.now().getTime()].join('.');
    return `${text}.${this.cipher.fingerprint(asNote(authorizationId, text))}`;
  }

  read(authorizationId: string, written: string | null): Note | null {
    const [, action = '', outcome = '', owners = '', atMs = '', signature = ''] =
      SHAPE.exec(written ?? '') ?? [];
    const text = [action, outcome, owners, atMs].join('.');
    const ageMs = this.clock.now().getTime() - Number(atMs);
    const isGood =
      isActionName(action) &&
      ageMs < SHOWN_FOR_MS &&
      this.cipher.recognises(asNote(authorizationId, text), signature);
    return isGood ? { action, outcome, owners: Number(owners) } : null;
  }
}

function asNote(authorizationId: string, text: string): Secret {
  return new Secret(`notion console note ${authorizationId} ${text}`);
}
