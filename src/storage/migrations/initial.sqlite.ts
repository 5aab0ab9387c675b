import { sqlMigration } from '../sql-migration.js';

const UP = [
  `CREATE TABLE IF NOT EXISTS "notion_authorization" (
    "id" varchar(36) PRIMARY KEY NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "bot_id" varchar(128) NOT NULL,
    "workspace_id" varchar(128) NOT NULL,
    "workspace_name" text,
    "workspace_icon" text,
    "owner_kind" varchar(16) NOT NULL,
    "owner_user_id" varchar(128),
    "duplicated_template_id" varchar(128),
    "redirect_uri" text NOT NULL,
    "scopes" text,
    "status" varchar(16) NOT NULL,
    "reason" varchar(32),
    "status_since" bigint NOT NULL,
    "version" integer NOT NULL,
    "sealed_access_token" text,
    "sealed_refresh_token" text,
    "key_id" varchar(64),
    "refresh_token_kept" boolean NOT NULL,
    "pair_stored_at" bigint NOT NULL,
    "access_token_expires_at" bigint,
    "last_attempt_at" bigint,
    "last_success_at" bigint,
    "attempt_id" varchar(36),
    "attempt_owner" varchar(128),
    "attempt_started_at" bigint,
    "attempt_phase" varchar(16),
    "lease_until" bigint,
    "next_attempt_at" bigint,
    "unresolved_since" bigint,
    "unresolved_replayed" boolean NOT NULL,
    "refused_refresh_token_fingerprint" varchar(128),
    "granted_at" bigint,
    "owner_left_at" bigint,
    "created_at" bigint NOT NULL,
    "updated_at" bigint NOT NULL,
    CONSTRAINT "notion_authorization_bot_uq" UNIQUE ("client_id", "bot_id")
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_authorization_due_ix" ON "notion_authorization" ("client_id", "status", "pair_stored_at", "id") WHERE status = 'active' AND sealed_refresh_token IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS "notion_authorization_unresolved_ix" ON "notion_authorization" ("client_id", "unresolved_since") WHERE unresolved_since IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS "notion_authorization_grant_ix" ON "notion_authorization" ("client_id", "workspace_id", "owner_user_id")`,
  `CREATE INDEX IF NOT EXISTS "notion_authorization_key_ix" ON "notion_authorization" ("client_id", "key_id", "id")`,
  `CREATE TABLE IF NOT EXISTS "notion_authorization_owner" (
    "authorization_id" varchar(36) NOT NULL,
    "owner_id" varchar(255) NOT NULL,
    "linked_at" bigint NOT NULL,
    CONSTRAINT "notion_authorization_owner_fk" FOREIGN KEY ("authorization_id") REFERENCES "notion_authorization" ("id") ON DELETE CASCADE ON UPDATE NO ACTION,
    PRIMARY KEY ("authorization_id", "owner_id")
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_authorization_owner_ix" ON "notion_authorization_owner" ("owner_id")`,
  `CREATE TABLE IF NOT EXISTS "notion_oauth_state" (
    "state_hash" varchar(64) PRIMARY KEY NOT NULL,
    "browser_hash" varchar(64) NOT NULL,
    "owner_id" varchar(255) NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "redirect_uri" text NOT NULL,
    "return_to" text NOT NULL,
    "reconnect_id" varchar(36),
    "created_at" bigint NOT NULL,
    "expires_at" bigint NOT NULL,
    "used_at" bigint,
    "outcome" varchar(16)
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_oauth_state_owner_ix" ON "notion_oauth_state" ("client_id", "owner_id", "created_at")`,
  `CREATE INDEX IF NOT EXISTS "notion_oauth_state_expiry_ix" ON "notion_oauth_state" ("expires_at")`,
  `CREATE TABLE IF NOT EXISTS "notion_refresh_attempt" (
    "id" varchar(36) PRIMARY KEY NOT NULL,
    "authorization_id" varchar(36) NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "triggered_by" varchar(16) NOT NULL,
    "spent_version" integer NOT NULL,
    "attempt_owner" varchar(128) NOT NULL,
    "is_recovering" boolean NOT NULL,
    "started_at" bigint NOT NULL,
    "ended_at" bigint,
    "outcome" varchar(16),
    "http_status" integer,
    "failure_code" varchar(64),
    "request_id" varchar(128),
    "upstream_ms" integer
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_refresh_attempt_authorization_ix" ON "notion_refresh_attempt" ("authorization_id", "started_at")`,
  `CREATE INDEX IF NOT EXISTS "notion_refresh_attempt_started_ix" ON "notion_refresh_attempt" ("client_id", "started_at")`,
  `CREATE INDEX IF NOT EXISTS "notion_refresh_attempt_ended_ix" ON "notion_refresh_attempt" ("client_id", "ended_at", "outcome")`,
  `CREATE TABLE IF NOT EXISTS "notion_refresh_gate" (
    "client_id" varchar(128) NOT NULL,
    "gate" varchar(32) NOT NULL,
    "closed_until" bigint,
    "closed_since" bigint,
    "reset_at" bigint,
    PRIMARY KEY ("client_id", "gate")
  )`,
  `CREATE TABLE IF NOT EXISTS "notion_breaker_suspect" (
    "authorization_id" varchar(36) PRIMARY KEY NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "workspace_id" varchar(128) NOT NULL,
    "version" integer NOT NULL,
    "rejected" boolean NOT NULL,
    "noted_at" bigint NOT NULL
  )`,
  `CREATE INDEX IF NOT EXISTS "notion_breaker_suspect_client_ix" ON "notion_breaker_suspect" ("client_id", "rejected")`,
  `CREATE TABLE IF NOT EXISTS "notion_database_timeline" (
    "client_id" varchar(128) PRIMARY KEY NOT NULL,
    "timeline" varchar(255) NOT NULL,
    "changed_at" bigint
  )`,
  `CREATE TABLE IF NOT EXISTS "notion_refresh_rate" (
    "client_id" varchar(128) PRIMARY KEY NOT NULL,
    "next_turn_us" bigint NOT NULL
  )`,
];

const DOWN = [
  'DROP TABLE "notion_database_timeline"',
  'DROP TABLE "notion_refresh_rate"',
  'DROP TABLE "notion_breaker_suspect"',
  'DROP TABLE "notion_refresh_gate"',
  'DROP TABLE "notion_oauth_state"',
  'DROP TABLE "notion_refresh_attempt"',
  'DROP TABLE "notion_authorization_owner"',
  'DROP TABLE "notion_authorization"',
];

export const InitialSqlite1795200000000 = sqlMigration('InitialSqlite1795200000000', { up: UP, down: DOWN });
