import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from 'nestjs-notion-auth';
import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { CanaryScanner, type CanaryHit } from '../support/canary.scanner.js';
import { databaseFor, NotionApp, OWNER } from '../support/notion-app.js';
import { temporaryFolder, type StorageEngine } from '../support/storage.harness.js';

/** What somebody gets who takes the database along: by the place where it lay, its bytes. */
export type TakenBytes = ReadonlyMap<string, string>;

export interface FilesEngine extends StorageEngine {
  /** Everything that the database keeps: as files, and as a dump where it has one. */
  readonly take: (app: NotionApp) => Promise<TakenBytes>;
  /** Places without which nothing was looked at. */
  readonly places: readonly RegExp[];
}

/** All files below a folder. */
export function filesIn(folder: string, named: (name: string) => boolean = () => true): TakenBytes {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && named(entry.name),
  );
  return new Map(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name), 'latin1'),
    ]),
  );
}

/** What may lie where the data lies, whoever reads it there. */
export function filesAtRestContract(engine: FilesEngine): void {
  describe(`what lies at rest on ${engine.name}`, () => {
    const scanner = new CanaryScanner();
    const temporary = process.env['TMPDIR'];
    let simulator: NotionSimulator;
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let storage: Awaited<ReturnType<typeof databaseFor>>;
    let app: NotionApp;

    beforeAll(async () => {
      simulator = await NotionSimulator.start({
        clientSecret: scanner.plant('client secret'),
        tokenFactory: (kind) => scanner.plant(kind === 'code' ? kind : `${kind} token`),
      });
      storage = await databaseFor(engine);
      folder = await temporaryFolder();
      mkdirSync(join(folder.path, 'tmp'));
      process.env['TMPDIR'] = join(folder.path, 'tmp');
      const key = randomBytes(32);
      scanner.watch('encryption key', key);
      scanner.watch('encryption key', key.toString('base64'));
      app = await NotionApp.start(simulator, {
        ...storage.options,
        encryptionKeys: [{ id: 'k1', key: key.toString('base64') }],
        refresh: { journalFolder: join(folder.path, 'journal') },
        revocation: { waitMs: 100, lookEveryMs: 3_600_000 },
      });
    });

    afterAll(async () => {
      if (temporary === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = temporary;
      await app.close();
      await storage.drop();
      await folder.remove();
      await simulator.close();
    });

    async function taken(): Promise<TakenBytes> {
      return new Map([...(await engine.take(app)), ...filesIn(folder.path)]);
    }

    function hitsIn(bytes: TakenBytes): CanaryHit[] {
      return [...bytes].flatMap(([where, text]) => scanner.hitsIn(where, text));
    }

    it('E9: holds no token, code, state or secret in clear: rows, log, dump, journal and temporary files', async () => {
      const ids: string[] = [];
      for (let person = 0; person < 20; person += 1) ids.push((await app.keep(simulator.grant())).id);
      for (const id of ids) {
        const { kind } = await app.refreshes.refresh(id, { trigger: 'manual' });
        expect(kind).toBe('renewed');
      }
      // Tokens that wait for Notion, a state that waits for its browser, and a refresh with an unknown end.
      simulator.fail('revoke', { kind: 'status', status: 503 });
      expect(await app.connect.disconnect(ids[0]!, OWNER)).toBe('revoke_pending');
      const { url, setCookie } = await app.connect.authorizeUrl({ ownerId: OWNER });
      scanner.watch('state', new URL(url).searchParams.get('state')!);
      scanner.watch('browser cookie', /=([^;]+)/.exec(setCookie)![1]!);
      simulator.fail('refresh', { kind: 'drop_after' }, { times: 1 });
      expect((await app.refreshes.refresh(ids[1]!, { trigger: 'manual' })).kind).toBe('unknown');

      const bytes = await taken();
      for (const place of engine.places)
        expect([...bytes.keys()].some((name) => place.test(name))).toBe(true);
      expect([...bytes.keys()].some((name) => name.includes('journal'))).toBe(true);
      expect([...bytes.values()].join('').includes('v1.k1.')).toBe(true);
      expect(scanner.kinds).toEqual([
        'access token',
        'browser cookie',
        'client secret',
        'encryption key',
        'refresh token',
        'state',
      ]);
      expect(hitsIn(bytes)).toEqual([]);
    }, 60_000);

    it('would have been found out, had one token lain there in clear', async () => {
      const token = new Secret(scanner.plant('access token'));
      await app.database.read(({ manager }) =>
        manager.query(
          `UPDATE notion_authorization SET workspace_name = '${token.reveal()}' WHERE status = 'active'`,
        ),
      );
      const found = hitsIn(await taken()).map(({ where }) => where);
      for (const place of engine.places) expect(found.some((name) => place.test(name))).toBe(true);
    }, 60_000);
  });
}
