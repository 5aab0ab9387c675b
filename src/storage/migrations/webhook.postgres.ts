import { sqlMigration } from '../sql-migration.js';

const UP = [
  `CREATE TABLE IF NOT EXISTS "notion_webhook_token" (
    "id" character varying(36) NOT NULL,
    "client_id" character varying(128) NOT NULL,
    "sealed_token" text,
    "key_id" character varying(64),
    "open_until" bigint NOT NULL,
    "paired_at" bigint,
    CONSTRAINT "notion_webhook_token_pk" PRIMARY KEY ("id")
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_webhook_token_client_ix" ON "notion_webhook_token" ("client_id")`,
  `CREATE TABLE IF NOT EXISTS "notion_webhook_event" (
    "client_id" character varying(128) NOT NULL,
    "event_id" character varying(64) NOT NULL,
    "received_at" bigint NOT NULL,
    CONSTRAINT "notion_webhook_event_pk" PRIMARY KEY ("client_id", "event_id")
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_webhook_event_age_ix" ON "notion_webhook_event" ("client_id", "received_at")`,
];

export const WebhookPostgres1795380000000 = sqlMigration('WebhookPostgres1795380000000', {
  up: UP,
  down: ['DROP TABLE "notion_webhook_event"', 'DROP TABLE "notion_webhook_token"'],
});
