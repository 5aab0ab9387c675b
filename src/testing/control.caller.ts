import type { ControlVerbs } from './control.verbs.js';

/** Sends one verb at a time to a control server. */
export class ControlCaller {
  constructor(
    private readonly controlUrl: string,
    private readonly token: string,
  ) {}

  /** @throws Error with the simulator's own message when the verb failed there. */
  async call<Verb extends keyof ControlVerbs>(
    verb: Verb,
    ...given: Parameters<ControlVerbs[Verb]>
  ): Promise<ReturnType<ControlVerbs[Verb]>> {
    const response = await fetch(this.controlUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ verb, arguments: withoutTrailingGaps(given) }),
    });
    const { result, error } = (await response.json()) as {
      result: ReturnType<ControlVerbs[Verb]>;
      error?: string;
    };
    if (error !== undefined) throw new Error(error);
    return result;
  }
}

/** JSON would turn an argument left out into `null`, which is not the same. */
function withoutTrailingGaps(given: readonly unknown[]): readonly unknown[] {
  return given.slice(0, given.findLastIndex((value) => value !== undefined) + 1);
}
