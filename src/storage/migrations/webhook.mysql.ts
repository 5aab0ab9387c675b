import { sqlMigration } from '../sql-migration.js';

const up = (collation: string): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS notion_webhook_token (
    id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    sealed_token text NULL,
    key_id varchar(64) NULL,
    open_until bigint NOT NULL,
    paired_at bigint NULL,
    INDEX notion_webhook_token_client_ix (client_id),
    PRIMARY KEY (id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
  `CREATE TABLE IF NOT EXISTS notion_webhook_event (
    client_id varchar(128) NOT NULL,
    event_id varchar(64) NOT NULL,
    received_at bigint NOT NULL,
    INDEX notion_webhook_event_age_ix (client_id, received_at),
    PRIMARY KEY (client_id, event_id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
];

export const WebhookMysql1795380000000 = sqlMigration('WebhookMysql1795380000000', {
  up,
  down: ['DROP TABLE notion_webhook_event', 'DROP TABLE notion_webhook_token'],
});
