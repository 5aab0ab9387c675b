import type { MigrationInterface, QueryRunner } from 'typeorm';
import { binaryCollation } from './binary-collation.js';

const up = (collation: string): string => `CREATE TABLE notion_event (
    id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    name varchar(32) NOT NULL,
    authorization_id varchar(36) NULL,
    reason varchar(32) NULL,
    owner_id varchar(255) NULL,
    deliveries int NOT NULL,
    next_delivery_at bigint NULL,
    created_at bigint NOT NULL,
    INDEX notion_event_due_ix (client_id, name, next_delivery_at),
    INDEX notion_event_age_ix (client_id, created_at),
    PRIMARY KEY (id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`;

export class EventMysql1795470000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(up(await binaryCollation(runner)));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE notion_event');
  }
}
