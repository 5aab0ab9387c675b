import type { ConsentChoice } from './consent.desk.js';
import type { LedgerMark } from './notion.ledger.js';
import type { LedgerRequest } from './request.journal.js';
import type { NotionSimulator } from './notion-simulator.js';
import type { Fault, FaultHandle, FaultScope, FaultTarget } from './simulator.faults.js';
import type { SimulatorModesChange } from './simulator.modes.js';
import type { IssuedToken } from './token.register.js';

/** The counts of the ledger, which are asked for by name. */
export type CountQuery =
  | 'tokenRequests'
  | 'refreshes'
  | 'rotations'
  | 'replaysOfSpentTokens'
  | 'overlappingRefreshes'
  | 'introspections'
  | 'revocations';

export type ControlVerbs = ReturnType<typeof controlVerbs>;

/** What another process may ask of a simulator: the verbs of its public face, with JSON in and out. */
export function controlVerbs(simulator: NotionSimulator) {
  const faults = new Map<number, FaultHandle>();
  const { ledger } = simulator;
  const counts = (since: LedgerMark | null) => (since === null ? ledger : ledger.since(since));
  return {
    connection: () => ({
      url: simulator.url,
      clientId: simulator.clientId,
      clientSecret: simulator.clientSecret,
    }),
    configure: (change: SimulatorModesChange) => {
      simulator.configure(change);
    },
    reset: () => {
      simulator.reset();
    },
    fail: (target: FaultTarget, fault: Fault, scope?: FaultScope): number => {
      const id = faults.size;
      faults.set(id, simulator.fail(target, fault, scope));
      return id;
    },
    faultHits: (id: number) => faults.get(id)?.hits ?? 0,
    clearFault: (id: number) => {
      faults.get(id)?.clear();
    },
    clearFaults: () => {
      simulator.clearFaults();
    },
    registerRedirectUri: (redirectUri: string) => {
      simulator.registerRedirectUri(redirectUri);
    },
    rotateClientSecret: (newSecret: string) => {
      simulator.rotateClientSecret(newSecret);
    },
    authorize: (choice?: ConsentChoice & { readonly redirectUri?: string }) => simulator.authorize(choice),
    allow: (authorizeUrl: string, choice?: ConsentChoice) => simulator.allow(authorizeUrl, choice),
    deny: (authorizeUrl: string) => simulator.deny(authorizeUrl),
    grant: (choice?: ConsentChoice) => simulator.grant(choice),
    expireAccessToken: (accessTokenOrBotId: string) => {
      simulator.expireAccessToken(accessTokenOrBotId);
    },
    expireAllAccessTokens: () => {
      simulator.expireAllAccessTokens();
    },
    revokeGrant: (botId: string) => {
      simulator.revokeGrant(botId);
    },
    mark: () => ledger.mark(),
    count: (since: LedgerMark | null, query: CountQuery, botId?: string) => counts(since)[query](botId),
    apiCalls: (since: LedgerMark | null, filter?: { status?: number; botId?: string }) =>
      counts(since).apiCalls(filter),
    requests: (since: LedgerMark | null, filter?: Partial<LedgerRequest>) => counts(since).requests(filter),
    tokens: (filter?: Partial<IssuedToken>) => ledger.tokens(filter),
    token: (value: string) => ledger.token(value) ?? null,
    isLive: (value: string) => ledger.isLive(value),
    live: (botId: string) => ledger.live(botId),
  };
}
