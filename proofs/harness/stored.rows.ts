import { DataSource } from 'typeorm';
import type { EncryptionKeyOption, NotionAuthOptions } from 'nestjs-notion-auth';
import { Secret } from '../../src/domain/secret.js';
import { KeyRingCipher } from '../../src/encryption/key-ring.cipher.js';
import { ownDataSourceOptions } from '../../src/storage/own-data-source.js';

/** A row as it stands in the database, its refresh token in clear. */
export interface StoredRow {
  readonly id: string;
  readonly botId: string;
  readonly version: number;
  readonly status: string;
  readonly reason: string | null;
  /** An attempt is under way or unresolved. */
  readonly isPending: boolean;
  /** `null` where it is erased, or was never given. */
  readonly refreshToken: string | null;
}

interface RawRow {
  readonly id: string;
  readonly client_id: string;
  readonly bot_id: string;
  readonly version: number;
  readonly status: string;
  readonly reason: string | null;
  readonly attempt_id: string | null;
  readonly unresolved_since: unknown;
  readonly sealed_refresh_token: string | null;
}

/** What row history has seen being stored. */
export interface StoredVersion {
  readonly id: string;
  readonly version: number;
  readonly refreshToken: string | null;
}

/** Reads the tables as an auditor does: beside the library, with the same keys. */
export class StoredRows {
  private readonly cipher: KeyRingCipher;

  private constructor(
    private readonly source: DataSource,
    options: NotionAuthOptions,
  ) {
    const ring = Array.isArray(options.encryptionKeys)
      ? (options.encryptionKeys as EncryptionKeyOption[])
      : [];
    const [first, ...others] = ring.map(({ id, key }) => ({
      id,
      key: new Secret(typeof key === 'string' ? key : key.reveal()),
    }));
    if (first === undefined) throw new Error('The options name no encryption key.');
    this.cipher = new KeyRingCipher({ encryptionKeys: [first, ...others] });
  }

  static async open(options: NotionAuthOptions): Promise<StoredRows> {
    const { databaseUrl, databaseFile = '' } = options;
    const url = typeof databaseUrl === 'string' ? new Secret(databaseUrl) : null;
    const source = { ...ownDataSourceOptions({ databaseUrl: url, databaseFile }), applicationName: 'proofs' };
    return new StoredRows(await new DataSource(source).initialize(), options);
  }

  query<Row>(statement: string): Promise<Row[]> {
    return this.source.query<Row[]>(statement);
  }

  async list(): Promise<StoredRow[]> {
    return (await this.query<RawRow>(ROWS)).map((row) => this.clear(row));
  }

  /** @throws when there is no such row. @param id - As the stage gave it. */
  async find(id: string): Promise<StoredRow> {
    const [row] = await this.query<RawRow>(`${ROWS} WHERE id = '${id}'`);
    if (row === undefined) throw new Error('There is no such row.');
    return this.clear(row);
  }

  /** Rows that a settle phase has still to visit. */
  async listPending(): Promise<{ readonly id: string; readonly version: number }[]> {
    return this.query(
      `SELECT id, version FROM notion_authorization
       WHERE status = 'active' AND (attempt_id IS NOT NULL OR unresolved_since IS NOT NULL)`,
    );
  }

  /** How many attempts ended in each way; `unaccounted` are those without an ending that nobody works on. */
  async countAttempts(): Promise<Record<string, number>> {
    const counted = await this.query<{ outcome: string | null; n: number | string }>(
      `SELECT CASE WHEN t.outcome IS NOT NULL THEN t.outcome
                   WHEN a.id IS NOT NULL THEN 'under_way' ELSE 'unaccounted' END AS outcome, count(*) AS n
       FROM notion_refresh_attempt t LEFT JOIN notion_authorization a ON a.attempt_id = t.id GROUP BY 1`,
    );
    return Object.fromEntries(counted.map(({ outcome, n }) => [outcome ?? 'unaccounted', Number(n)]));
  }

  /** PostgreSQL only: from now on every stored version is written down, by a trigger. */
  async keepHistory(): Promise<void> {
    for (const statement of HISTORY) await this.query(statement);
  }

  /** In the order of writing; empty where no history is kept. */
  async readHistory(): Promise<StoredVersion[]> {
    if (this.source.options.type !== 'postgres') return [];
    const [kept] = await this.query<{ name: string | null }>(
      `SELECT to_regclass('proof_row_history') AS name`,
    );
    if (kept?.name == null) return [];
    const rows = await this.query<RawRow>('SELECT * FROM proof_row_history ORDER BY number');
    return rows.map((row) => ({ id: row.id, version: row.version, refreshToken: this.open(row) }));
  }

  close(): Promise<void> {
    return this.source.destroy();
  }

  private clear(row: RawRow): StoredRow {
    return {
      id: row.id,
      botId: row.bot_id,
      version: row.version,
      status: row.status,
      reason: row.reason,
      isPending: row.attempt_id !== null || row.unresolved_since !== null,
      refreshToken: this.open(row),
    };
  }

  private open(row: Pick<RawRow, 'id' | 'client_id' | 'version' | 'sealed_refresh_token'>): string | null {
    if (row.sealed_refresh_token === null) return null;
    return this.cipher
      .open(row.sealed_refresh_token, {
        table: 'notion_authorization',
        column: 'sealed_refresh_token',
        rowId: row.id,
        clientId: row.client_id,
        version: row.version,
      })
      .reveal();
  }
}

const ROWS = `SELECT id, client_id, bot_id, version, status, reason, attempt_id, unresolved_since, sealed_refresh_token
  FROM notion_authorization`;

const HISTORY = [
  `CREATE TABLE proof_row_history (
     number bigserial PRIMARY KEY, id varchar(36), client_id varchar(128), version integer, sealed_refresh_token text)`,
  `CREATE FUNCTION proof_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     INSERT INTO proof_row_history (id, client_id, version, sealed_refresh_token)
     VALUES (NEW.id, NEW.client_id, NEW.version, NEW.sealed_refresh_token); RETURN NULL; END $$`,
  `CREATE TRIGGER proof_history AFTER INSERT OR UPDATE OF version ON notion_authorization
     FOR EACH ROW EXECUTE FUNCTION proof_keep_history()`,
];
