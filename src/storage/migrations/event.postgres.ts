import { sqlMigration } from '../sql-migration.js';

const UP = [
  `CREATE TABLE IF NOT EXISTS "notion_event" (
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
  `CREATE INDEX IF NOT EXISTS "notion_event_due_ix" ON "notion_event" ("client_id", "name", "next_delivery_at")`,
  `CREATE INDEX IF NOT EXISTS "notion_event_age_ix" ON "notion_event" ("client_id", "created_at")`,
];

export const EventPostgres1795470000000 = sqlMigration('EventPostgres1795470000000', {
  up: UP,
  down: ['DROP TABLE "notion_event"'],
});
