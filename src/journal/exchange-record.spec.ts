import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../config/resolve-config.js';
import { NotionKeyError } from '../domain/errors.js';
import type { ExchangedGrant } from '../domain/exchanged-grant.js';
import { Secret } from '../domain/secret.js';
import { KeyRingCipher } from '../encryption/key-ring.cipher.js';
import { encodeRecord, openRecord, parseRecord } from './journal-record.js';

const CLIENT_ID = 'client-1';

describe('the journal record of a code exchange', () => {
  const cipher = new KeyRingCipher(
    resolveConfig({
      clientId: CLIENT_ID,
      clientSecret: 'a secret of the client',
      redirectUris: ['http://localhost:3000/notion/callback'],
      encryptionKeys: [{ id: 'k1', key: randomBytes(32).toString('base64') }],
    }),
  );
  const exchange: ExchangedGrant = {
    kind: 'exchange',
    exchangeId: randomUUID(),
    connection: {
      ownerId: 'owner-1',
      clientId: CLIENT_ID,
      redirectUri: 'http://localhost:3000/notion/callback',
      reconnect: null,
      exchangedAtMs: 1_796_000_000_000,
      grant: {
        botId: 'bot-1',
        workspaceId: 'workspace-1',
        workspaceName: 'Acme',
        workspaceIcon: null,
        ownerKind: 'user',
        ownerUserId: 'user-1',
        duplicatedTemplateId: null,
      },
      pair: { accessToken: new Secret('ntn_a'), refreshToken: new Secret('nrt_r'), expiresInMs: null },
    },
  };
  const payload = encodeRecord(exchange, CLIENT_ID, cipher);

  it('holds the whole connection, and none of it in clear', () => {
    for (const word of ['owner-1', 'bot-1', 'Acme', 'user-1', 'ntn_a', 'nrt_r'])
      expect(payload.toString('utf8')).not.toContain(word);
    const opened = openRecord(parseRecord(payload)!, CLIENT_ID, cipher);
    expect(opened).toEqual(exchange);
    expect(opened?.kind === 'exchange' && opened.connection.pair.refreshToken?.reveal()).toBe('nrt_r');
  });

  it('does not open for another client, nor under another id', () => {
    const record = parseRecord(payload)!;
    expect(() => openRecord(record, 'client-2', cipher)).toThrow(NotionKeyError);
    expect(() => openRecord({ ...record, id: randomUUID() }, CLIENT_ID, cipher)).toThrow(NotionKeyError);
  });
});
