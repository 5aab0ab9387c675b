import { BrowserBinding } from './browser-binding.js';
import { CallbackVerifier } from './callback.verifier.js';
import { CodeExchange } from './code-exchange.js';
import { ConnectLog } from './connect-log.js';
import { ConnectResponder } from './connect.responder.js';
import { NotionConnectService } from './notion-connect.service.js';
import { PendingConnects } from './pending.connects.js';

/** What connecting consists of; `OwnerGate` and the ports come from elsewhere. */
export const connectProviders = [
  NotionConnectService,
  CallbackVerifier,
  ConnectResponder,
  CodeExchange,
  PendingConnects,
  BrowserBinding,
  ConnectLog,
] as const;

/** What an application's own controller needs for the service, the guard and the filter. */
export const connectExports = [NotionConnectService, CallbackVerifier, ConnectResponder, ConnectLog] as const;
