import { Inject, Injectable } from '@nestjs/common';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { FleetReadings, type AuthorizationCount, type FleetReading } from '../domain/fleet-readings.js';
import type { RefreshGate } from '../domain/refresh-gate.js';
import type { AttemptOutcome } from '../domain/refresh-outcome.js';
import { TokenCipher } from '../domain/token-cipher.js';
import { AuthorizationEntity } from './authorization.entity.js';
import type { DatabaseSession } from './database-sessions.js';
import { boundFromNow } from './database-time.js';
import { NotionDatabase } from './notion-database.js';
import { RefreshAttemptEntity } from './refresh-attempt.entity.js';
import { RefreshGateEntity } from './refresh-gate.entity.js';
import { isHoldingBack } from './refresh-gates.js';
import { SEALED_TABLES } from './sealed-table.js';

/** A row of any of the parts; what `age_ms` and `total` are differs with the kind. */
interface PartRow {
  readonly kind: 'attempts' | 'gate' | 'key';
  readonly name: string | null;
  readonly age_ms: string | number;
  readonly total: string | number;
}

interface Slices {
  readonly windowMs: number;
  readonly sliceMs: number;
}

/** A query to be joined with others. */
interface Part {
  getQuery(): string;
}

/** Reads the attempt journal, the gates and the key ids of the configured client id, over all processes. */
@Injectable()
export class TypeOrmFleetReadings extends FleetReadings {
  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    private readonly cipher: TokenCipher,
  ) {
    super();
  }

  override async read(windowMs: number, sliceMs: number): Promise<FleetReading> {
    const { keyIds } = this.cipher;
    const rows = await this.database.read((session) =>
      this.readParts(session, { windowMs, sliceMs }, keyIds),
    );
    const named = rows.flatMap(({ name, ...row }) => (name === null ? [] : { ...row, name }));
    return {
      attempts: named
        .filter(({ kind }) => kind === 'attempts')
        .map(({ name, age_ms: ageMs, total }) => ({
          outcome: name as AttemptOutcome,
          ageMs: Math.max(0, Number(ageMs)),
          total: Number(total),
        })),
      closedGates: named
        .filter(
          ({ kind, name, total }) => kind === 'gate' && isHoldingBack(name as RefreshGate, Number(total)),
        )
        .map(({ name }) => name as RefreshGate),
      missingKeyIds: [
        ...new Set(named.filter(({ kind, name }) => kind === 'key' && !keyIds.includes(name)).map(nameOf)),
      ],
    };
  }

  override async closedGates(): Promise<readonly RefreshGate[]> {
    const rows = await this.database.read((session) =>
      joined(session, [gates(session)])
        .setParameters({ clientId: this.config.clientId })
        .getRawMany<PartRow>(),
    );
    return rows.flatMap(({ name, total }) =>
      name !== null && isHoldingBack(name as RefreshGate, Number(total)) ? [name as RefreshGate] : [],
    );
  }

  override async countAuthorizations(): Promise<readonly AuthorizationCount[]> {
    const { clientId } = this.config;
    const rows = await this.database.read(({ manager }) =>
      manager
        .createQueryBuilder(AuthorizationEntity, 'a')
        .select('a.status', 'status')
        .addSelect('a.reason', 'reason')
        .addSelect('COUNT(*)', 'total')
        .where('a.clientId = :clientId', { clientId })
        .groupBy('a.status')
        .addGroupBy('a.reason')
        .getRawMany<Omit<AuthorizationCount, 'total'> & { total: string | number }>(),
    );
    return rows.map((row) => ({ ...row, total: Number(row.total) }));
  }

  private readParts(session: DatabaseSession, slices: Slices, keyIds: readonly string[]): Promise<PartRow[]> {
    const parts = [endedAttempts(session, slices), gates(session), ...keysBeside(session, keyIds)];
    return joined(session, parts)
      .setParameters({ clientId: this.config.clientId, ...Object.fromEntries(keyIds.map(keyParameter)) })
      .getRawMany<PartRow>();
  }
}

function joined({ manager }: DatabaseSession, parts: readonly Part[]): SelectQueryBuilder<ObjectLiteral> {
  const union = parts.map((part) => part.getQuery()).join(' UNION ALL ');
  return manager
    .createQueryBuilder()
    .select('r.kind', 'kind')
    .addSelect('r.name', 'name')
    .addSelect('r.age_ms', 'age_ms')
    .addSelect('r.total', 'total')
    .from(`(${union})`, 'r');
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function endedAttempts({ manager, dialect }: DatabaseSession, { windowMs, sliceMs }: Slices): Part {
  const ended = manager
    .createQueryBuilder(RefreshAttemptEntity, 't')
    .select('t.outcome', 'outcome')
    .addSelect(`${dialect.now} - t.endedAt`, 'age_ms')
    .where('t.clientId = :clientId AND t.outcome IS NOT NULL')
    .andWhere(`t.endedAt > ${boundFromNow(dialect, -windowMs)}`);
  const wholeSlices = `e.age_ms - e.age_ms % ${String(Math.max(1, Math.round(sliceMs)))}`;
  return manager
    .createQueryBuilder()
    .select(`'attempts'`, 'kind')
    .addSelect('e.outcome', 'name')
    .addSelect(wholeSlices, 'age_ms')
    .addSelect('COUNT(*)', 'total')
    .from(`(${ended.getQuery()})`, 'e')
    .groupBy('e.outcome')
    .addGroupBy(wholeSlices);
}

function gates({ manager, dialect }: DatabaseSession): Part {
  const closed = manager
    .createQueryBuilder(RefreshGateEntity, 'g')
    .select('g.gate', 'gate')
    .addSelect(`g.closedUntil - ${dialect.now}`, 'left_ms')
    .where('g.clientId = :clientId AND g.closedUntil IS NOT NULL');
  // In two steps: TypeORM puts an entity's own columns first, and a union goes by position.
  return manager
    .createQueryBuilder()
    .select(`'gate'`, 'kind')
    .addSelect('c.gate', 'name')
    .addSelect('0', 'age_ms')
    .addSelect('c.left_ms', 'total')
    .from(`(${closed.getQuery()})`, 'c');
}

/**
 * The first key id in use, and the next one after each that is known: were one in use and not known, it would be the
 * first of all or the next after a known one. Each is one look into an index, however many rows there are.
 */
function keysBeside({ manager }: DatabaseSession, keyIds: readonly string[]): Part[] {
  const conditions = ['', ...keyIds.map((_, index) => ` AND s.keyId > :key${String(index)}`)];
  return SEALED_TABLES.flatMap(({ entity }) =>
    conditions.map((condition) =>
      manager
        .createQueryBuilder(entity, 's')
        .select(`'key'`, 'kind')
        .addSelect('MIN(s.keyId)', 'name')
        .addSelect('0', 'age_ms')
        .addSelect('0', 'total')
        .where(`s.clientId = :clientId AND s.keyId IS NOT NULL${condition}`),
    ),
  );
}

function keyParameter(keyId: string, index: number): [string, string] {
  return [`key${String(index)}`, keyId];
}
