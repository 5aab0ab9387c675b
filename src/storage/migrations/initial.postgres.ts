import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `CREATE TABLE "notion_authorization" (
    "id" character varying(36) NOT NULL,
    "client_id" character varying(128) NOT NULL,
    "bot_id" character varying(128) NOT NULL,
    "workspace_id" character varying(128) NOT NULL,
    "workspace_name" text,
    "workspace_icon" text,
    "owner_kind" character varying(16) NOT NULL,
    "owner_user_id" character varying(128),
    "duplicated_template_id" character varying(128),
    "redirect_uri" text NOT NULL,
    "scopes" text,
    "status" character varying(16) NOT NULL,
    "reason" character varying(32),
    "status_since" bigint NOT NULL,
    "version" integer NOT NULL,
    "sealed_access_token" text,
    "sealed_refresh_token" text,
    "key_id" character varying(64),
    "refresh_token_kept" boolean NOT NULL,
    "pair_stored_at" bigint NOT NULL,
    "access_token_expires_at" bigint,
    "last_attempt_at" bigint,
    "last_success_at" bigint,
    "attempt_id" character varying(36),
    "attempt_owner" character varying(128),
    "attempt_started_at" bigint,
    "attempt_phase" character varying(16),
    "lease_until" bigint,
    "next_attempt_at" bigint,
    "unresolved_since" bigint,
    "unresolved_replayed" boolean NOT NULL,
    "refused_refresh_token_fingerprint" character varying(128),
    "granted_at" bigint,
    "owner_left_at" bigint,
    "created_at" bigint NOT NULL,
    "updated_at" bigint NOT NULL,
    CONSTRAINT "notion_authorization_bot_uq" UNIQUE ("client_id", "bot_id"),
    CONSTRAINT "notion_authorization_pk" PRIMARY KEY ("id")
  )`,
  `CREATE INDEX "notion_authorization_due_ix" ON "notion_authorization" ("client_id", "status", "pair_stored_at", "id") WHERE status = 'active' AND sealed_refresh_token IS NOT NULL`,
  `CREATE INDEX "notion_authorization_unresolved_ix" ON "notion_authorization" ("client_id", "unresolved_since") WHERE unresolved_since IS NOT NULL`,
  `CREATE INDEX "notion_authorization_grant_ix" ON "notion_authorization" ("client_id", "workspace_id", "owner_user_id")`,
  `CREATE INDEX "notion_authorization_key_ix" ON "notion_authorization" ("client_id", "key_id", "id")`,
  `CREATE TABLE "notion_authorization_owner" (
    "authorization_id" character varying(36) NOT NULL,
    "owner_id" character varying(255) NOT NULL,
    "linked_at" bigint NOT NULL,
    CONSTRAINT "notion_authorization_owner_pk" PRIMARY KEY ("authorization_id", "owner_id"),
    CONSTRAINT "notion_authorization_owner_fk" FOREIGN KEY ("authorization_id") REFERENCES "notion_authorization"("id") ON DELETE CASCADE ON UPDATE NO ACTION
  )`,
  `CREATE INDEX "notion_authorization_owner_ix" ON "notion_authorization_owner" ("owner_id")`,
  `CREATE TABLE "notion_oauth_state" (
    "state_hash" character varying(64) NOT NULL,
    "browser_hash" character varying(64) NOT NULL,
    "owner_id" character varying(255) NOT NULL,
    "client_id" character varying(128) NOT NULL,
    "redirect_uri" text NOT NULL,
    "return_to" text NOT NULL,
    "reconnect_id" character varying(36),
    "created_at" bigint NOT NULL,
    "expires_at" bigint NOT NULL,
    "used_at" bigint,
    "outcome" character varying(16),
    CONSTRAINT "notion_oauth_state_pk" PRIMARY KEY ("state_hash")
  )`,
  `CREATE INDEX "notion_oauth_state_owner_ix" ON "notion_oauth_state" ("client_id", "owner_id", "created_at")`,
  `CREATE INDEX "notion_oauth_state_expiry_ix" ON "notion_oauth_state" ("expires_at")`,
  `CREATE TABLE "notion_refresh_attempt" (
    "id" character varying(36) NOT NULL,
    "authorization_id" character varying(36) NOT NULL,
    "client_id" character varying(128) NOT NULL,
    "triggered_by" character varying(16) NOT NULL,
    "spent_version" integer NOT NULL,
    "attempt_owner" character varying(128) NOT NULL,
    "is_recovering" boolean NOT NULL,
    "started_at" bigint NOT NULL,
    "ended_at" bigint,
    "outcome" character varying(16),
    "http_status" integer,
    "failure_code" character varying(64),
    "request_id" character varying(128),
    "upstream_ms" integer,
    CONSTRAINT "notion_refresh_attempt_pk" PRIMARY KEY ("id")
  )`,
  `CREATE INDEX "notion_refresh_attempt_authorization_ix" ON "notion_refresh_attempt" ("authorization_id", "started_at")`,
  `CREATE INDEX "notion_refresh_attempt_started_ix" ON "notion_refresh_attempt" ("client_id", "started_at")`,
  `CREATE INDEX "notion_refresh_attempt_ended_ix" ON "notion_refresh_attempt" ("client_id", "ended_at", "outcome")`,
  `CREATE TABLE "notion_refresh_gate" (
    "client_id" character varying(128) NOT NULL,
    "gate" character varying(32) NOT NULL,
    "closed_until" bigint,
    "closed_since" bigint,
    "reset_at" bigint,
    CONSTRAINT "notion_refresh_gate_pk" PRIMARY KEY ("client_id", "gate")
  )`,
  `CREATE TABLE "notion_breaker_suspect" (
    "authorization_id" character varying(36) NOT NULL,
    "client_id" character varying(128) NOT NULL,
    "workspace_id" character varying(128) NOT NULL,
    "version" integer NOT NULL,
    "rejected" boolean NOT NULL,
    "noted_at" bigint NOT NULL,
    CONSTRAINT "notion_breaker_suspect_pk" PRIMARY KEY ("authorization_id")
  )`,
  `CREATE INDEX "notion_breaker_suspect_client_ix" ON "notion_breaker_suspect" ("client_id", "rejected")`,
  `CREATE TABLE "notion_database_timeline" (
    "client_id" character varying(128) NOT NULL,
    "timeline" character varying(255) NOT NULL,
    "changed_at" bigint,
    CONSTRAINT "notion_database_timeline_pk" PRIMARY KEY ("client_id")
  )`,
  `CREATE TABLE "notion_refresh_rate" (
    "client_id" character varying(128) NOT NULL,
    "next_turn_us" bigint NOT NULL,
    CONSTRAINT "notion_refresh_rate_pk" PRIMARY KEY ("client_id")
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

export class InitialPostgres1795200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
