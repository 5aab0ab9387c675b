import { sqlMigration } from '../sql-migration.js';

const UP = [
  `CREATE TABLE IF NOT EXISTS "notion_event" (
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
  `CREATE INDEX IF NOT EXISTS "notion_event_due_ix" ON "notion_event" ("client_id", "name", "next_delivery_at")`,
  `CREATE INDEX IF NOT EXISTS "notion_event_age_ix" ON "notion_event" ("client_id", "created_at")`,
];

export const EventSqlite1795470000000 = sqlMigration('EventSqlite1795470000000', {
  up: UP,
  down: ['DROP TABLE "notion_event"'],
});
