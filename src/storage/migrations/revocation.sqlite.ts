import { sqlMigration } from '../sql-migration.js';

const UP = [
  `CREATE TABLE IF NOT EXISTS "notion_revocation" (
    "id" varchar(36) PRIMARY KEY NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "authorization_id" varchar(36) NOT NULL,
    "sealed_token" text NOT NULL,
    "key_id" varchar(64) NOT NULL,
    "attempts" integer NOT NULL,
    "next_attempt_at" bigint NOT NULL,
    "created_at" bigint NOT NULL
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_revocation_due_ix" ON "notion_revocation" ("client_id", "next_attempt_at")`,
  `CREATE INDEX IF NOT EXISTS "notion_revocation_authorization_ix" ON "notion_revocation" ("authorization_id")`,
];

export const RevocationSqlite1795290000000 = sqlMigration('RevocationSqlite1795290000000', {
  up: UP,
  down: ['DROP TABLE "notion_revocation"'],
});
