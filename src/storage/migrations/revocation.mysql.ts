import { sqlMigration } from '../sql-migration.js';

const up = (collation: string): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS notion_revocation (
    id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    authorization_id varchar(36) NOT NULL,
    sealed_token text NOT NULL,
    key_id varchar(64) NOT NULL,
    attempts int NOT NULL,
    next_attempt_at bigint NOT NULL,
    created_at bigint NOT NULL,
    INDEX notion_revocation_due_ix (client_id, next_attempt_at),
    INDEX notion_revocation_authorization_ix (authorization_id),
    PRIMARY KEY (id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
];

export const RevocationMysql1795290000000 = sqlMigration('RevocationMysql1795290000000', {
  up,
  down: ['DROP TABLE notion_revocation'],
});
