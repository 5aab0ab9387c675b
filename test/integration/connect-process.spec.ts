import { connectProcessContract } from '../contracts/connect-process.contract.js';
import { sqlite } from '../support/storage.harness.js';

connectProcessContract({
  ...sqlite,
  // SQLite cannot sleep; a billion rows to count keep it long enough.
  stall: () => [
    'CREATE TABLE slow AS SELECT 1 AS one FROM notion_auth_migration',
    ...Array.from({ length: 10 }, () => 'INSERT INTO slow SELECT one FROM slow'),
    'CREATE TRIGGER stall AFTER INSERT ON notion_authorization_owner BEGIN SELECT count(*) FROM slow a, slow b, slow c; END',
  ],
  unstall: ['DROP TRIGGER stall', 'DROP TABLE slow'],
});
