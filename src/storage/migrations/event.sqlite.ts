import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `CREATE TABLE "notion_event" (
    "id" varchar(36) PRIMARY KEY NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "name" varchar(32) NOT NULL,
    "authorization_id" varchar(36),
    "reason" varchar(32),
    "owner_id" varchar(255),
    "deliveries" integer NOT NULL,
    "next_delivery_at" bigint,
    "created_at" bigint NOT NULL
  )`,
  `CREATE INDEX "notion_event_due_ix" ON "notion_event" ("client_id", "name", "next_delivery_at")`,
  `CREATE INDEX "notion_event_age_ix" ON "notion_event" ("client_id", "created_at")`,
];

export class EventSqlite1795470000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "notion_event"');
  }
}
