import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `CREATE TABLE "notion_event" (
    "id" character varying(36) NOT NULL,
    "client_id" character varying(128) NOT NULL,
    "name" character varying(32) NOT NULL,
    "authorization_id" character varying(36),
    "reason" character varying(32),
    "owner_id" character varying(255),
    "deliveries" integer NOT NULL,
    "next_delivery_at" bigint,
    "created_at" bigint NOT NULL,
    CONSTRAINT "notion_event_pk" PRIMARY KEY ("id")
  )`,
  `CREATE INDEX "notion_event_due_ix" ON "notion_event" ("client_id", "name", "next_delivery_at")`,
  `CREATE INDEX "notion_event_age_ix" ON "notion_event" ("client_id", "created_at")`,
];

export class EventPostgres1795470000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "notion_event"');
  }
}
