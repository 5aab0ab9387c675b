import type { ExecutionContext } from '@nestjs/common';
import { createHandlerParameter } from '../config/handler-parameter.js';
import { requestOf } from '../config/http-context.js';
import type { PendingConnect } from '../domain/connect-state-store.js';
import { NotionCallbackRefusedError } from '../domain/errors.js';
import type { Secret } from '../domain/secret.js';

const verifiedCallbacks = new WeakMap<object, VerifiedCallback>();

/** A callback that the guard let through: it ends a connect which this browser and this owner started here. */
export class VerifiedCallback {
  #code: Secret | null;

  constructor(
    code: Secret,
    readonly pending: PendingConnect,
    /** The state that was consumed for it, and when by the database's clock. Default: the moment of the exchange. */
    readonly consumed?: { readonly stateHash: string; readonly atMs: number },
  ) {
    this.#code = code;
  }

  /**
   * Gives the code away, once: whoever takes it sends it.
   * @throws {@link NotionCallbackRefusedError} (`used_state`) from the second time on.
   */
  takeCode(): Secret {
    const code = this.#code;
    if (code === null) throw new NotionCallbackRefusedError('used_state');
    this.#code = null;
    return code;
  }
}

/** Keeps the callback for the handler behind the guard, where neither a logger nor a serializer finds it. */
export function keepVerifiedCallback(request: object, callback: VerifiedCallback): void {
  verifiedCallbacks.set(request, callback);
}

/** What {@link keepVerifiedCallback} kept for this request. */
export function verifiedCallbackOf(request: object): VerifiedCallback | undefined {
  return verifiedCallbacks.get(request);
}

/** Parameter decorator: the {@link VerifiedCallback} of a route behind `NotionCallbackGuard`. */
export const NotionCallback = createHandlerParameter(
  (_data: unknown, context: ExecutionContext): VerifiedCallback => {
    const callback = verifiedCallbackOf(requestOf(context, '@NotionCallback()'));
    if (callback === undefined)
      throw new Error('@NotionCallback() needs NotionCallbackGuard on the same route.');
    return callback;
  },
);
