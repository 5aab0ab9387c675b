import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyProvider, type EncryptionKeyOption } from '../domain/key-provider.js';
import { Secret } from '../domain/secret.js';
import { gatherOptions } from './gather-options.js';
import { EnvironmentKeyProvider, FileKeyProvider } from './key-providers.js';
import type { NotionAuthOptions } from './notion-auth.options.js';
import { resolveConfig } from './resolve-config.js';

const [K1, K2, K3] = Array.from({ length: 3 }, () => randomBytes(32).toString('base64')) as [
  string,
  string,
  string,
];
const OPTIONS: NotionAuthOptions = {
  clientId: 'f1e2d3c4-0000-4000-8000-000000000001',
  clientSecret: 'secret_of-the-connection',
  redirectUris: ['https://app.example/notion/callback'],
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'key-providers-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function ringOf(encryptionKeys: NotionAuthOptions['encryptionKeys']) {
  const { options } = await gatherOptions({ ...OPTIONS, encryptionKeys });
  return resolveConfig(options, {}).encryptionKeys.map(({ id, key }) => [id, key.reveal()]);
}

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('the key ring', () => {
  it('comes from a service that unwraps it', async () => {
    class KeyService extends KeyProvider {
      override keys(): Promise<EncryptionKeyOption[]> {
        return Promise.resolve([
          { id: 'k2', key: new Secret(K2) },
          { id: 'k1', key: K1 },
        ]);
      }
    }
    expect(await ringOf(new KeyService())).toEqual([
      ['k2', K2],
      ['k1', K1],
    ]);
  });

  it('comes from an environment variable', async () => {
    const provider = new EnvironmentKeyProvider('KEYS', () => ({ KEYS: `k2:${K2}, k1:${K1}` }));
    expect(await ringOf(provider)).toEqual([
      ['k2', K2],
      ['k1', K1],
    ]);
  });

  it('comes from files, in their order, one key or more in each', async () => {
    const paths = [await fileOf('new', `k3:${K3}\n`), await fileOf('old', `k2:${K2}\nk1:${K1}\n`)] as const;
    expect(await ringOf(new FileKeyProvider(...paths))).toEqual([
      ['k3', K3],
      ['k2', K2],
      ['k1', K1],
    ]);
  });

  it('is judged like one that was written down', async () => {
    const provider = new EnvironmentKeyProvider('KEYS', () => ({ KEYS: `k1:${K1},k1:${K2}` }));
    await expect(ringOf(provider)).rejects.toThrow('entry 2: has the same id as entry 1');
  });

  it('keeps the application from starting when its provider fails, and nothing of what it said is shown', async () => {
    const path = join(folder, 'ntn_canary');
    const error = await ringOf(new FileKeyProvider(path)).catch((reason: unknown) => reason);
    expect(String(error)).toContain('encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): its provider failed');
    expect(String(error)).not.toContain('ntn_canary');
  });
});
