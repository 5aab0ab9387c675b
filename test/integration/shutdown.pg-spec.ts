import { shutdownContract } from '../contracts/shutdown.contract.js';
import { silentDatabaseContract } from '../contracts/silent-database.contract.js';
import { postgres } from '../support/storage.harness.js';

shutdownContract({
  ...postgres,
  refuse: [
    `CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'away'; END $$`,
    'CREATE TRIGGER away BEFORE UPDATE OF version ON notion_authorization FOR EACH ROW EXECUTE FUNCTION away()',
  ],
  allow: ['DROP TRIGGER away ON notion_authorization', 'DROP FUNCTION away'],
  sharesDataSource: true,
});

silentDatabaseContract(postgres);
