import type { SelectQueryBuilder } from 'typeorm';
import { NotionKeyError } from '../domain/errors.js';
import type { ResealBatch } from '../domain/sealed-secrets.js';
import type { Secret } from '../domain/secret.js';
import type { SealContext, TokenCipher } from '../domain/token-cipher.js';
import type { DatabaseSession } from './database-sessions.js';
import { isAmongIds, isOfClient } from './identifiers.js';
import { rowValues } from './row-values.js';
import type { SealedRow, SealedTable } from './sealed-table.js';

export interface ResealSession extends DatabaseSession {
  readonly clientId: string;
  readonly cipher: TokenCipher;
}

export interface ResealedRows {
  readonly resealed: number;
  readonly unreadable: number;
  /** Id of the last row that was looked at; `null` when none came. */
  readonly lastId: string | null;
}

type Columns = Readonly<Record<string, string | null>>;

/** One row's envelopes and fingerprints as they stand, and of the same secrets under the first key of the ring. */
interface Resealed {
  readonly id: string;
  readonly before: Columns;
  readonly after: Columns;
}

/** Seals rows of one table anew that one key seals, in the order of their ids. */
export async function resealRows(
  session: ResealSession,
  table: SealedTable,
  { keyId, limit }: Pick<ResealBatch, 'keyId' | 'limit'>,
  afterId: string | null,
): Promise<ResealedRows> {
  const rows = await lockRows(session, table, keyId, limit, afterId);
  const resealed = rows.flatMap((row) => resealedRow(session.cipher, table, row) ?? []);
  if (resealed.length > 0) await write(session, table, keyId, resealed);
  return {
    resealed: resealed.length,
    unreadable: rows.length - resealed.length,
    lastId: rows.at(-1)?.id ?? null,
  };
}

async function lockRows(
  { manager, dialect, clientId }: ResealSession,
  { entity, envelopes }: SealedTable,
  keyId: string,
  limit: number,
  afterId: string | null,
): Promise<SealedRow[]> {
  const rows: SelectQueryBuilder<SealedRow> = manager
    .createQueryBuilder(entity, 'r')
    .addSelect(Object.keys(envelopes).map((property) => `r.${property}`))
    .where('r.clientId = :clientId AND r.keyId = :keyId', { clientId, keyId })
    .orderBy('r.id')
    .limit(limit);
  if (afterId !== null) rows.andWhere('r.id > :afterId', { afterId });
  if (dialect.locksRows) rows.setLock('pessimistic_write');
  if (dialect.skipsLocked) rows.setOnLocked('skip_locked');
  return rows.getMany();
}

/** `null` where no key opens it: what cannot be read is not overwritten. */
function resealedRow(
  cipher: TokenCipher,
  { envelopes, fingerprints }: SealedTable,
  row: SealedRow,
): Resealed | null {
  const secrets: Record<string, Secret | null> = {};
  const before: Record<string, string | null> = {};
  const after: Record<string, string | null> = {};
  try {
    for (const [property, contextOf] of Object.entries(envelopes)) {
      const envelope = row[property] as string | null;
      const context: SealContext = contextOf(row as never);
      const secret = envelope === null ? null : cipher.open(envelope, context);
      secrets[property] = secret;
      before[property] = envelope;
      after[property] = secret === null ? null : cipher.seal(secret, context);
    }
    for (const [property, of] of Object.entries(fingerprints)) {
      const fingerprint = row[property] as string | null;
      before[property] = fingerprint;
      after[property] = refingerprinted(cipher, fingerprint, secrets[of] ?? null);
    }
    return { id: row.id, before, after };
  } catch (error) {
    if (error instanceof NotionKeyError) return null;
    throw error;
  }
}

/** What is not this secret's stays as it is: of another secret nothing else can be made. */
function refingerprinted(
  cipher: TokenCipher,
  fingerprint: string | null,
  secret: Secret | null,
): string | null {
  const isOfSecret = fingerprint !== null && secret !== null && cipher.recognises(secret, fingerprint);
  return isOfSecret ? cipher.fingerprint(secret) : fingerprint;
}

/** The guard is every envelope as it was read: whoever stored another pair meanwhile keeps it. */
async function write(
  { manager, dialect, clientId, cipher }: ResealSession,
  { entity, envelopes, fingerprints }: SealedTable,
  keyId: string,
  rows: readonly Resealed[],
): Promise<void> {
  const metadata = manager.connection.getMetadata(entity);
  const valuesOf = (name: string, pick: (row: Resealed) => string | null) =>
    rowValues(
      dialect,
      name,
      'text',
      rows.map((row) => [row.id, pick(row)]),
    );
  const columns = Object.keys({ ...envelopes, ...fingerprints }).map((property, index) => ({
    property,
    column: metadata.findColumnWithPropertyName(property)?.databaseName ?? property,
    before: valuesOf(`before${String(index)}`, ({ before }) => before[property] ?? null),
    after: valuesOf(`after${String(index)}`, ({ after }) => after[property] ?? null),
  }));
  const change = Object.fromEntries(columns.map(({ property, after }) => [property, () => after.sql]));
  const update = manager
    .createQueryBuilder()
    .update(entity)
    .set({ ...change, keyId: cipher.sealingKeyId })
    .where(`${isAmongIds(dialect, 'id')} AND ${isOfClient('client_id')}`, {
      ids: rows.map(({ id }) => id),
      clientId,
    })
    .andWhere('key_id = :keyId', { keyId })
    .updateEntity(false)
    .callListeners(false);
  for (const { column, before, after } of columns) {
    update.andWhere(`COALESCE(${column}, '') = COALESCE(${before.sql}, '')`, {
      ...before.parameters,
      ...after.parameters,
    });
  }
  const written = await update.execute();
  if (written.affected !== rows.length)
    throw new Error('A row that was locked to be sealed anew has changed.');
}
