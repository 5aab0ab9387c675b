import type { ConsentChoice } from './consent.desk.js';
import type { ControlVerbs } from './control.verbs.js';
import type { SimulatedAuthorization } from './notion-simulator.js';
import { RemoteLedger } from './remote.ledger.js';
import { ControlCaller } from './control.caller.js';
import type { Fault, FaultScope, FaultTarget } from './simulator.faults.js';
import type { SimulatorModesChange } from './simulator.modes.js';

/** A fault set from another process. */
export interface RemoteFaultHandle {
  /** How many requests it has struck. */
  hits(): Promise<number>;
  /** Takes it back. */
  clear(): Promise<void>;
}

/**
 * Drives a {@link NotionSimulator} that runs in another process, through its {@link SimulatorControlServer}:
 * the same verbs, each answering with a promise.
 */
export class NotionSimulatorControl {
  readonly ledger: RemoteLedger;

  private constructor(
    private readonly caller: ControlCaller,
    private readonly connection: ReturnType<ControlVerbs['connection']>,
  ) {
    this.ledger = new RemoteLedger(caller);
  }

  static async connect(controlUrl: string, token: string): Promise<NotionSimulatorControl> {
    const caller = new ControlCaller(controlUrl, token);
    return new NotionSimulatorControl(caller, await caller.call('connection'));
  }

  /** Origin of the simulator itself, where applications call Notion. */
  get url(): string {
    return this.connection.url;
  }

  get clientId(): string {
    return this.connection.clientId;
  }

  /** The secret at the time of connecting. */
  get clientSecret(): string {
    return this.connection.clientSecret;
  }

  configure(change: SimulatorModesChange): Promise<void> {
    return this.caller.call('configure', change);
  }

  reset(): Promise<void> {
    return this.caller.call('reset');
  }

  async fail(target: FaultTarget, fault: Fault, scope?: FaultScope): Promise<RemoteFaultHandle> {
    const id = await this.caller.call('fail', target, fault, scope);
    return {
      hits: () => this.caller.call('faultHits', id),
      clear: () => this.caller.call('clearFault', id),
    };
  }

  clearFaults(): Promise<void> {
    return this.caller.call('clearFaults');
  }

  registerRedirectUri(redirectUri: string): Promise<void> {
    return this.caller.call('registerRedirectUri', redirectUri);
  }

  rotateClientSecret(newSecret: string): Promise<void> {
    return this.caller.call('rotateClientSecret', newSecret);
  }

  authorize(choice?: ConsentChoice & { readonly redirectUri?: string }): Promise<string> {
    return this.caller.call('authorize', choice);
  }

  allow(authorizeUrl: string, choice?: ConsentChoice): Promise<string> {
    return this.caller.call('allow', authorizeUrl, choice);
  }

  deny(authorizeUrl: string): Promise<string> {
    return this.caller.call('deny', authorizeUrl);
  }

  grant(choice?: ConsentChoice): Promise<SimulatedAuthorization> {
    return this.caller.call('grant', choice);
  }

  expireAccessToken(accessTokenOrBotId: string): Promise<void> {
    return this.caller.call('expireAccessToken', accessTokenOrBotId);
  }

  expireAllAccessTokens(): Promise<void> {
    return this.caller.call('expireAllAccessTokens');
  }

  revokeGrant(botId: string): Promise<void> {
    return this.caller.call('revokeGrant', botId);
  }
}
