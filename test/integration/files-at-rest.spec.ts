import { dirname } from 'node:path';
import { filesAtRestContract, filesIn } from '../contracts/files-at-rest.contract.js';
import { sqlite } from '../support/storage.harness.js';

filesAtRestContract({
  ...sqlite,
  take: (app) => Promise.resolve(filesIn(dirname(String(app.options.databaseFile)))),
  places: [/notion\.sqlite(-wal)?$/],
});
