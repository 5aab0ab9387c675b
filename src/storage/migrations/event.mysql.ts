import { sqlMigration } from '../sql-migration.js';

const up = (collation: string): readonly string[] => [
  `CREATE TABLE IF NOT EXISTS notion_event (
    id varchar(36) NOT NULL,
    client_id varchar(128) NOT NULL,
    name varchar(32) NOT NULL,
    authorization_id varchar(36) NULL,
    reason varchar(32) NULL,
    owner_id varchar(255) NULL,
    deliveries int NOT NULL,
    next_delivery_at bigint NULL,
    created_at bigint NOT NULL,
    INDEX notion_event_due_ix (client_id, name, next_delivery_at),
    INDEX notion_event_age_ix (client_id, created_at),
    PRIMARY KEY (id)
  ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation}`,
];

export const EventMysql1795470000000 = sqlMigration('EventMysql1795470000000', {
  up,
  down: ['DROP TABLE notion_event'],
});
