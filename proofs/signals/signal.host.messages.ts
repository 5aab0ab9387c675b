import type { NotionAuthOptions } from 'nestjs-notion-auth';

/**
 * What the host does about SIGTERM and SIGINT.
 *
 * - `on`, `once`: a listener of its own, added before `listen`, closes the application; `once` then raises the signal
 *   again.
 * - `late`: as `on`, added after `listen`.
 * - `hooks`: `enableShutdownHooks`.
 * - `survives`: a listener that notes the signal and does nothing.
 * - `none`: nothing.
 */
export const SIGNAL_HANDLINGS = ['on', 'once', 'late', 'hooks', 'survives', 'none'] as const;
export type SignalHandling = (typeof SIGNAL_HANDLINGS)[number];

export interface SignalHostSetup {
  readonly options: NotionAuthOptions;
  readonly handling: SignalHandling;
  /** Instances of the module. @defaultValue 1 */
  readonly modules?: 1 | 2;
  /** `index.js` of another copy of the package, which the second instance is of. */
  readonly secondCopy?: string;
  /** How long `GET /slow` takes, in milliseconds. @defaultValue 300 */
  readonly slowMs?: number;
  /** PostgreSQL: the module uses a DataSource of the host's, which outlives the application for a while. */
  readonly sharesDataSource?: boolean;
  /** The kernel ignores the default action of a signal, as it does for PID 1. @defaultValue false */
  readonly ignoresDefaultAction?: boolean;
}

export type SignalHostCommand =
  | { readonly kind: 'start'; readonly setup: SignalHostSetup }
  /** Begins refreshes, each in the instance of that number, and reports their outcomes as they come. */
  | { readonly kind: 'refresh'; readonly authorizationIds: readonly string[]; readonly instance: 0 | 1 }
  /** Begins a call to Notion, and reports nothing. */
  | { readonly kind: 'call'; readonly authorizationId: string }
  /** Adds the listeners of `survives`. */
  | { readonly kind: 'survive' }
  /** Closes the application. The process must then end by itself. */
  | { readonly kind: 'close' };

export type SignalHostReport =
  | { readonly kind: 'listening'; readonly url: string }
  /** A slow request has begun. */
  | { readonly kind: 'request' }
  | { readonly kind: 'begun' }
  /** A request to Notion is on its way. */
  | { readonly kind: 'sent' }
  | { readonly kind: 'outcome'; readonly authorizationId: string; readonly outcome: string }
  /** A listener of the host was called. */
  | { readonly kind: 'signal' }
  | { readonly kind: 'closed' }
  /** A statement of the shared DataSource after the application was closed. */
  | { readonly kind: 'lateStatement' }
  | { readonly kind: 'logged'; readonly line: string };
