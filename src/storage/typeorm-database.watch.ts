import { Inject, Injectable } from '@nestjs/common';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { Clock } from '../domain/clock.js';
import { DatabaseWatch } from '../domain/database-watch.js';
import { MINUTE_MS } from '../domain/duration.js';
import { NotionLogger } from '../logging/notion.logger.js';
import { isSoonOver, withRepeats } from './database-errors.js';
import {
  OBSTACLE_TEXTS,
  readServerIdentity,
  type DetectionObstacle,
  type ServerIdentity,
} from './database-identity.js';
import { harmlessTwice } from './database-sessions.js';
import type { Dialect } from './dialect.js';
import { notedTimeline, noteTimeline } from './database-timeline.js';
import { NotionDatabase } from './notion-database.js';

const LOOKS = 3;
/** No server is replaced, repaired and promoted again in this time; a proxy alternates faster. */
const ALTERNATES_WITHIN_MS = 10 * MINUTE_MS;

@Injectable()
export class TypeOrmDatabaseWatch extends DatabaseWatch {
  private readonly logger = new NotionLogger('NotionDatabaseWatch');
  /** Monotonic time at which each server was met last. */
  private readonly metAtMs = new Map<string, number>();
  /** Why this process has stopped to compare, if it has. */
  private obstacle: DetectionObstacle | null = null;

  constructor(
    private readonly database: NotionDatabase,
    @Inject(NOTION_AUTH_CONFIG) private readonly config: Pick<NotionAuthConfig, 'clientId'>,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async compare(holdMs: number): Promise<string | null> {
    if (!this.database.dialect.locksRows) return null;
    if (this.obstacle === null) {
      const identity = await withRepeats(() => this.look(holdMs), isSoonOver, LOOKS);
      if (identity.kind === 'known') return this.meet(identity.name);
      if (identity.kind === 'read_only') {
        throw new Error('The database server is read-only or a standby, so its identity is not known now.');
      }
      this.switchOff(identity.obstacle);
    }
    return this.obstacle === 'no_privilege' ? this.readNote() : null;
  }

  override onConnectionChange(listener: () => void): void {
    this.database.connections.listen(listener);
  }

  /** One transaction: a server must not be compared with the note of another. */
  private look(holdMs: number): Promise<ServerIdentity> {
    const { clientId } = this.config;
    return this.database.transaction(
      async (session) => {
        const identity = await readServerIdentity(session);
        if (identity.kind !== 'known') return identity;
        const wasSeen = this.hasMet(session.dialect, identity.name);
        const noted = await noteTimeline({ ...session, clientId }, identity.name, { holdMs, wasSeen });
        return noted === 'noted' ? identity : { kind: 'unknowable', obstacle: 'several_servers' };
      },
      { durable: true, repeatOnUniqueViolation: true, confirm: harmlessTwice },
    );
  }

  /** PostgreSQL never alternates: each promotion begins a timeline of its own. */
  private hasMet({ family }: Dialect, name: string): boolean {
    if (family === 'postgres') return false;
    const metAtMs = this.metAtMs.get(name);
    return metAtMs !== undefined && this.clock.monotonicMs() - metAtMs < ALTERNATES_WITHIN_MS;
  }

  private meet(name: string): string {
    this.metAtMs.set(name, this.clock.monotonicMs());
    return name;
  }

  private switchOff(obstacle: DetectionObstacle): void {
    this.obstacle = obstacle;
    this.logger.warn(`Failover detection is off: ${OBSTACLE_TEXTS[obstacle]}`);
  }

  private readNote(): Promise<string | null> {
    const { clientId } = this.config;
    return this.database.read((session) => notedTimeline({ ...session, clientId }));
  }
}
