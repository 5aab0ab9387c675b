import { Injectable } from '@nestjs/common';
import { NotionConnectService, type DisconnectOutcome } from '../connect/notion-connect.service.js';
import { AuthorizationDirectory } from '../domain/authorization-directory.js';
import type { AuthorizationId } from '../domain/authorization.js';
import { NotionAuthError, NotionAuthorizationNotFoundError } from '../domain/errors.js';
import { NotionRefreshService } from '../refresh/notion-refresh.service.js';
import { storeCall } from '../refresh/store-call.js';
import type { Note } from './signed-notes.js';

/** What the buttons do. Each resolves to what came of it, also where that is a failure. */
@Injectable()
export class OperatorActions {
  constructor(
    private readonly directory: AuthorizationDirectory,
    private readonly refreshes: NotionRefreshService,
    private readonly connects: NotionConnectService,
  ) {}

  async refresh(id: AuthorizationId): Promise<Note> {
    const outcome = await codeOfFailure(async () => {
      const { kind } = await this.refreshes.refresh(id, { trigger: 'manual' });
      return kind;
    });
    return { action: 'refresh', outcome, owners: 0 };
  }

  /** The link itself is no secret and is made again where it is shown; here it is only noted that it was asked for. */
  async reconnectLink(id: AuthorizationId): Promise<Note> {
    const outcome = await codeOfFailure(async () => {
      await this.require(id);
      return 'shown';
    });
    return { action: 'reconnect-link', outcome, owners: 0 };
  }

  /**
   * Ends the use of one owner, or of all of them one after the other. Notion is told with the last one. Stops at the
   * first failure and says for how many it was done.
   * @param ownerId - `null` for every owner.
   */
  async disconnect(id: AuthorizationId, ownerId: string | null): Promise<Note> {
    let owners = 0;
    const outcome = await codeOfFailure(async () => {
      const linked = await storeCall(this.directory.ownersOf(id));
      const leaving = ownerId === null ? linked : linked.filter((linkedId) => linkedId === ownerId);
      let last: DisconnectOutcome | null = null;
      for (const each of leaving) {
        last = await this.connects.disconnect(id, each);
        owners += 1;
      }
      if (last === null) throw new NotionAuthorizationNotFoundError();
      return last;
    });
    return { action: 'disconnect', outcome, owners };
  }

  private async require(id: AuthorizationId): Promise<void> {
    if ((await storeCall(this.directory.find(id))) === null) throw new NotionAuthorizationNotFoundError();
  }
}

/** Surprises go on to whoever handles them. */
async function codeOfFailure(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NotionAuthError) return error.code;
    throw error;
  }
}
