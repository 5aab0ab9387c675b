import type { NotionAuthOptions } from 'nestjs-notion-auth';

/** What the parent asks of a replica, over the channel between the two processes. */
export type ReplicaCommand =
  | { readonly kind: 'start'; readonly options: NotionAuthOptions }
  /** Calls Notion `count` times at once through the official SDK. */
  | { readonly kind: 'call'; readonly authorizationId: string; readonly count: number }
  | { readonly kind: 'refresh'; readonly authorizationId: string; readonly seenVersion?: number }
  | { readonly kind: 'stop' };

export interface CallsReport {
  readonly succeeded: number;
  /** How often each error code ended a call. */
  readonly failures: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

export interface ReplicaRequest {
  readonly id: number;
  readonly command: ReplicaCommand;
}

export type ReplicaReply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };
