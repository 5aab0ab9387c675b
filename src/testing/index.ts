export { NotionSimulator, type SimulatedAuthorization } from './notion-simulator.js';
export type { ListedGrant } from './index.page.js';
export type { NotionSimulatorOptions } from './simulator.options.js';
export type { EndpointDelays, SimulatorModes, SimulatorModesChange } from './simulator.modes.js';
export type { Fault, FaultHandle, FaultKind, FaultScope, FaultTarget } from './simulator.faults.js';
export type { ApiCallFilter, LedgerCounts, LedgerMark, LivePair, NotionLedger } from './notion.ledger.js';
export { WebhookSubscription, type WebhookEventChoice, type WebhookReceipt } from './webhook.subscription.js';
export type { EndpointKind } from './endpoint.kind.js';
export type { LedgerRequest } from './request.journal.js';
export type { IssuedToken, TokenStatus } from './token.register.js';
export type { TokenFactory } from './token.mint.js';
export { UnusableAuthorizeRequest, type ConsentChoice } from './consent.desk.js';
export {
  SAMPLE_PEOPLE,
  SAMPLE_WORKSPACES,
  type NotionPage,
  type NotionPerson,
  type NotionWorkspace,
} from './sample-workspaces.js';
export { SimulatorControlServer, type SimulatorControlOptions } from './simulator-control.server.js';
export { NotionSimulatorControl, type RemoteFaultHandle } from './notion-simulator.control.js';
export type { RemoteLedger, RemoteLedgerCounts } from './remote.ledger.js';
