import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  `CREATE TABLE "notion_revocation" (
    "id" varchar(36) PRIMARY KEY NOT NULL,
    "client_id" varchar(128) NOT NULL,
    "authorization_id" varchar(36) NOT NULL,
    "sealed_token" text NOT NULL,
    "key_id" varchar(64) NOT NULL,
    "attempts" integer NOT NULL,
    "next_attempt_at" bigint NOT NULL,
    "created_at" bigint NOT NULL
  )`,
  `CREATE INDEX "notion_revocation_due_ix" ON "notion_revocation" ("client_id", "next_attempt_at")`,
  `CREATE INDEX "notion_revocation_authorization_ix" ON "notion_revocation" ("authorization_id")`,
];

export class RevocationSqlite1795290000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "notion_revocation"');
  }
}
