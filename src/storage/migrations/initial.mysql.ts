import type { MigrationInterface, QueryRunner } from 'typeorm';
import { binaryCollation } from './binary-collation.js';

const up = (collation: string): readonly string[] => [
  `CREATE TABLE notion_authorization (
    id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    bot_id varchar(128) NOT NULL,
    workspace_id varchar(128) NOT NULL,
    workspace_name text NULL,
    workspace_icon text NULL,
    owner_kind varchar(16) NOT NULL,
    owner_user_id varchar(128) NULL,
    duplicated_template_id varchar(128) NULL,
    redirect_uri text NOT NULL,
    scopes text NULL,
    status varchar(16) NOT NULL,
    reason varchar(32) NULL,
    status_since bigint NOT NULL,
    version int NOT NULL,
    sealed_access_token text NULL,
    sealed_refresh_token text NULL,
    key_id varchar(64) NULL,
    refresh_token_kept tinyint NOT NULL,
    pair_stored_at bigint NOT NULL,
    access_token_expires_at bigint NULL,
    last_attempt_at bigint NULL,
    last_success_at bigint NULL,
    attempt_id varchar(36) NULL,
    attempt_owner varchar(128) NULL,
    attempt_started_at bigint NULL,
    attempt_phase varchar(16) NULL,
    lease_until bigint NULL,
    next_attempt_at bigint NULL,
    unresolved_since bigint NULL,
    unresolved_replayed tinyint NOT NULL,
    refused_refresh_token_fingerprint varchar(128) NULL,
    granted_at bigint NULL,
    owner_left_at bigint NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    INDEX notion_authorization_due_ix (client_id, status, pair_stored_at, id),
    INDEX notion_authorization_unresolved_ix (client_id, unresolved_since),
    INDEX notion_authorization_grant_ix (client_id, workspace_id, owner_user_id),
    INDEX notion_authorization_key_ix (client_id, key_id, id),
    UNIQUE INDEX notion_authorization_bot_uq (client_id, bot_id),
    PRIMARY KEY (id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_authorization_owner (
    authorization_id varchar(36) NOT NULL,
    owner_id varchar(255) NOT NULL,
    linked_at bigint NOT NULL,
    INDEX notion_authorization_owner_ix (owner_id),
    PRIMARY KEY (authorization_id, owner_id),
    CONSTRAINT notion_authorization_owner_fk FOREIGN KEY (authorization_id) REFERENCES notion_authorization(id) ON DELETE CASCADE ON UPDATE NO ACTION
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_oauth_state (
    state_hash varchar(64) NOT NULL,
    browser_hash varchar(64) NOT NULL,
    owner_id varchar(255) NOT NULL,
    client_id varchar(128) NOT NULL,
    redirect_uri text NOT NULL,
    return_to text NOT NULL,
    reconnect_id varchar(36) NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint NULL,
    outcome varchar(16) NULL,
    INDEX notion_oauth_state_owner_ix (client_id, owner_id, created_at),
    INDEX notion_oauth_state_expiry_ix (expires_at),
    PRIMARY KEY (state_hash)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_refresh_attempt (
    id varchar(36) NOT NULL,
    authorization_id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    triggered_by varchar(16) NOT NULL,
    spent_version int NOT NULL,
    attempt_owner varchar(128) NOT NULL,
    is_recovering tinyint NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint NULL,
    outcome varchar(16) NULL,
    http_status int NULL,
    failure_code varchar(64) NULL,
    request_id varchar(128) NULL,
    upstream_ms int NULL,
    INDEX notion_refresh_attempt_authorization_ix (authorization_id, started_at),
    INDEX notion_refresh_attempt_started_ix (client_id, started_at),
    INDEX notion_refresh_attempt_ended_ix (client_id, ended_at, outcome),
    PRIMARY KEY (id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_refresh_gate (
    client_id varchar(128) NOT NULL,
    gate varchar(32) NOT NULL,
    closed_until bigint NULL,
    closed_since bigint NULL,
    reset_at bigint NULL,
    PRIMARY KEY (client_id, gate)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_breaker_suspect (
    authorization_id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    workspace_id varchar(128) NOT NULL,
    version int NOT NULL,
    rejected tinyint NOT NULL,
    noted_at bigint NOT NULL,
    PRIMARY KEY (authorization_id),
    INDEX notion_breaker_suspect_client_ix (client_id, rejected)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_database_timeline (
    client_id varchar(128) NOT NULL,
    timeline varchar(255) NOT NULL,
    changed_at bigint NULL,
    PRIMARY KEY (client_id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE notion_refresh_rate (
    client_id varchar(128) NOT NULL,
    next_turn_us bigint NOT NULL,
    PRIMARY KEY (client_id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
];

const DOWN = [
  'DROP TABLE notion_database_timeline',
  'DROP TABLE notion_refresh_rate',
  'DROP TABLE notion_breaker_suspect',
  'DROP TABLE notion_refresh_gate',
  'DROP TABLE notion_oauth_state',
  'DROP TABLE notion_refresh_attempt',
  'DROP TABLE notion_authorization_owner',
  'DROP TABLE notion_authorization',
];

export class InitialMysql1795200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up(await binaryCollation(runner))) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
