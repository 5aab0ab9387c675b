import { z } from 'zod';
import type { TokenPair } from '../domain/authorization.js';
import { isNestedDeeper } from '../domain/json-nesting.js';
import type { RetainedChange } from '../domain/retained-change.js';
import { Secret } from '../domain/secret.js';
import type { SealContext, TokenCipher } from '../domain/token-cipher.js';

const FORMAT = 1;
/** A record is flat. */
const RECORD_DEPTH = 1;

const journalRecord = z.object({
  format: z.literal(FORMAT),
  kind: z.string(),
  id: z.string(),
  version: z.number().int().positive(),
  encryptedContent: z.string(),
});

/** A record as it is stored: readable without a key, and not to be trusted before {@link openRecord}. */
export type JournalRecord = z.infer<typeof journalRecord>;

type ChangeOf<Kind extends RetainedChange['kind']> = Extract<RetainedChange, { kind: Kind }>;

/** How a kind of change becomes a record. A new kind needs an entry in {@link KINDS} and nothing else. */
interface RecordKind<Change extends RetainedChange> {
  /** What a disconnect finds the record by. Readable without a key. */
  readonly idOf: (change: Change) => string;
  /** Everything besides kind, id and version. Encrypted, and authenticated together with them. */
  readonly contentOf: (change: Change) => object;
  /** `null` for content of another form. */
  readonly restore: (record: JournalRecord, content: unknown) => Change | null;
}

const pairContent = z.object({
  attemptId: z.string().nullable(),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresInMs: z.number().nullable(),
});

const KINDS: { readonly [Kind in RetainedChange['kind']]: RecordKind<ChangeOf<Kind>> } = {
  pair: {
    idOf: ({ authorizationId }) => authorizationId,
    contentOf: ({ attemptId, pair }) => ({ attemptId, ...clearPair(pair) }),
    restore: ({ id, version }, content) => {
      const parsed = pairContent.safeParse(content);
      if (!parsed.success) return null;
      const { attemptId } = parsed.data;
      return { kind: 'pair', authorizationId: id, version, attemptId, pair: tokenPair(parsed.data) };
    },
  },
  disconnect: {
    idOf: ({ authorizationId }) => authorizationId,
    contentOf: () => ({}),
    restore: ({ id, version }) => ({ kind: 'disconnect', authorizationId: id, version }),
  },
};

/**
 * Kind, id and version are readable without a key. The content is encrypted, also an empty one, with all of them as
 * associated data: a record that was forged or altered does not open.
 */
export function encodeRecord(change: RetainedChange, clientId: string, cipher: TokenCipher): Buffer {
  const { kind, version } = change;
  const id = idOfChange(change);
  const content = new Secret(JSON.stringify(kindOf(kind)!.contentOf(change)));
  const encryptedContent = cipher.seal(content, contextOf({ kind, id, version }, clientId));
  const record: JournalRecord = { format: FORMAT, kind, id, version, encryptedContent };
  return Buffer.from(JSON.stringify(record), 'utf8');
}

/** The id by which {@link parseRecord} names the record of this change. */
export function idOfChange(change: RetainedChange): string {
  return kindOf(change.kind)!.idOf(change);
}

/** `null` for a payload that is no record of this format. Needs no key and verifies nothing. */
export function parseRecord(payload: Buffer): JournalRecord | null {
  if (isNestedDeeper(payload, RECORD_DEPTH)) return null;
  const parsed = journalRecord.safeParse(parseJson(payload.toString('utf8')));
  return parsed.success ? parsed.data : null;
}

/**
 * @returns `null` for a kind that this version does not know.
 * @throws {@link NotionKeyError} when no configured key opens the record, or anything of it was altered.
 */
export function openRecord(
  record: JournalRecord,
  clientId: string,
  cipher: TokenCipher,
): RetainedChange | null {
  const kind = kindOf(record.kind);
  if (kind === undefined) return null;
  const content = cipher.open(record.encryptedContent, contextOf(record, clientId));
  return kind.restore(record, parseJson(content.reveal()));
}

function kindOf(kind: string): RecordKind<RetainedChange> | undefined {
  return Object.hasOwn(KINDS, kind)
    ? (KINDS[kind as RetainedChange['kind']] as RecordKind<RetainedChange>)
    : undefined;
}

function contextOf(
  { kind, id, version }: Pick<JournalRecord, 'kind' | 'id' | 'version'>,
  clientId: string,
): SealContext {
  return { table: 'journal', column: kind, rowId: id, clientId, version };
}

function clearPair({ accessToken, refreshToken, expiresInMs }: TokenPair) {
  return {
    accessToken: accessToken.reveal(),
    refreshToken: refreshToken?.reveal() ?? null,
    expiresInMs,
  };
}

function tokenPair({ accessToken, refreshToken, expiresInMs }: z.infer<typeof pairContent>): TokenPair {
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === null ? null : new Secret(refreshToken),
    expiresInMs,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
