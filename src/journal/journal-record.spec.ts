import { randomBytes } from 'node:crypto';
import { NotionKeyError } from '../domain/errors.js';
import type { RetainedChange } from '../domain/retained-change.js';
import { Secret } from '../domain/secret.js';
import { KeyRingCipher } from '../encryption/key-ring.cipher.js';
import { revealed, somePair } from '../../test/support/journal.fixtures.js';
import { encodeRecord, openRecord, parseRecord, type JournalRecord } from './journal-record.js';

describe('a record of the journal', () => {
  const cipher = new KeyRingCipher({
    encryptionKeys: [{ id: 'k1', key: new Secret(randomBytes(32).toString('base64')) }],
  });
  const disconnect: RetainedChange = { kind: 'disconnect', authorizationId: 'authorization-1', version: 7 };

  function recordOf(change: RetainedChange): JournalRecord {
    return parseRecord(encodeRecord(change, 'client', cipher))!;
  }

  it.each([
    ['a pair', somePair()],
    ['a pair without a refresh token', { ...somePair(), pair: { ...somePair().pair, refreshToken: null } }],
    ['a disconnect', disconnect],
  ])('gives back %s', (_name, change: RetainedChange) => {
    const opened = openRecord(recordOf(change), 'client', cipher);
    expect(opened && revealed(opened)).toEqual(revealed(change));
  });

  it('shows kind, id and version without a key, and nothing else', () => {
    const payload = encodeRecord(somePair(2, 'authorization-1'), 'client', cipher).toString();
    expect(JSON.parse(payload)).toEqual({
      format: 1,
      kind: 'pair',
      id: 'authorization-1',
      version: 2,
      encryptedContent: expect.stringMatching(/^v1\.k1\./),
    });
    expect(payload).not.toContain('canary');
  });

  it.each([
    ['a disconnect of another authorization', { id: 'authorization-2' }],
    ['a disconnect of a later version', { version: 8 }],
    ['a pair that claims to be a disconnect', { encryptedContent: recordOf(somePair()).encryptedContent }],
    ['a disconnect that claims to be a pair', { kind: 'pair' }],
  ])('does not open as %s', (_name, change) => {
    expect(() => openRecord({ ...recordOf(disconnect), ...change }, 'client', cipher)).toThrow(
      NotionKeyError,
    );
  });

  it('does not open for another client', () => {
    expect(() => openRecord(recordOf(disconnect), 'another client', cipher)).toThrow(NotionKeyError);
  });

  it('does not open when it was made without the key', () => {
    const forged = { format: 1, kind: 'disconnect', id: 'authorization-1', version: 9, encryptedContent: '' };
    const record = parseRecord(Buffer.from(JSON.stringify(forged)))!;
    expect(() => openRecord(record, 'client', cipher)).toThrow(NotionKeyError);
  });

  it('is no change when its kind is not known, as that of a later version', () => {
    expect(openRecord({ ...recordOf(disconnect), kind: 'toString' }, 'client', cipher)).toBeNull();
  });

  it.each(['', 'null', '{}', '[]', '{"format":2}', '{"format":1,"kind":{}}'])('is not %j', (text) => {
    expect(parseRecord(Buffer.from(text))).toBeNull();
  });
});
