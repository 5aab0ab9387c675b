import { connectProcessContract } from '../contracts/connect-process.contract.js';
import { postgres } from '../support/storage.harness.js';

connectProcessContract({
  ...postgres,
  stall: (ms) => [
    `CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(${ms / 1_000}); RETURN NULL; END $$`,
    'CREATE TRIGGER stall AFTER INSERT ON notion_authorization_owner FOR EACH ROW EXECUTE FUNCTION stall()',
  ],
  unstall: ['DROP TRIGGER stall ON notion_authorization_owner', 'DROP FUNCTION stall'],
});
