import * as realFs from 'node:fs';
import { jest } from '@jest/globals';
import { idsOf, JournalFolder, replayedIds, somePair } from '../../test/support/journal.fixtures.js';

const FAULTY = ['openSync', 'writeSync', 'fsyncSync', 'fdatasyncSync', 'rmSync', 'readdirSync'] as const;
type Faulty = (typeof FAULTY)[number];

/** Put in place of the file system's own: called with the number of the call, from 1. */
type Fault = (call: number, ...given: unknown[]) => unknown;
const faults = new Map<Faulty, { readonly fault: Fault; calls: number }>();

function withFault(name: Faulty) {
  return (...given: unknown[]): unknown => {
    const real = realFs[name] as (...given: unknown[]) => unknown;
    const faulty = faults.get(name);
    if (faulty === undefined) return real(...given);
    faulty.calls += 1;
    const verdict = faulty.fault(faulty.calls, ...given);
    return verdict === undefined ? real(...given) : verdict;
  };
}

jest.unstable_mockModule('node:fs', () => ({
  ...realFs,
  ...Object.fromEntries(FAULTY.map((name) => [name, withFault(name)])),
}));
const { FilePairJournal } = await import('./file-pair.journal.js');

function fail(code: string): never {
  throw Object.assign(new Error(`${code}: /a/path/that/must/not/be/logged`), { code });
}

function inject(name: Faulty, fault: Fault): void {
  faults.set(name, { fault, calls: 0 });
}

function openDescriptors(): number {
  return realFs.readdirSync('/proc/self/fd').length;
}

describe('FilePairJournal on a disk that fails', () => {
  let folder: JournalFolder;

  beforeEach(() => {
    folder = new JournalFolder(FilePairJournal);
  });

  afterEach(() => {
    faults.clear();
    folder.remove();
  });

  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'])(
    'leaves no descriptor and no file when a file cannot be filled (%s)',
    (code) => {
      const journal = folder.journal();
      const before = openDescriptors();
      inject('writeSync', () => fail(code));
      journal.prepare();
      expect(journal.record(somePair())).toBeNull();
      expect(openDescriptors()).toBe(before);
      expect(folder.files()).toEqual([]);
    },
  );

  it.each([
    ['cannot be synchronised', 'fsyncSync', 'EIO'],
    ['cannot be opened', 'openSync', 'EMFILE'],
  ] as const)('leaves no descriptor and no file when a new file %s', (_name, call, code) => {
    const journal = folder.journal();
    const before = openDescriptors();
    inject(call, () => fail(code));
    expect(journal.record(somePair())).toBeNull();
    expect(openDescriptors()).toBe(before);
    expect(folder.files()).toEqual([]);
  });

  it('goes on with a write that is cut short until all of it is written', () => {
    inject('writeSync', (_call, descriptor, bytes, offset, length, position) =>
      realFs.writeSync(
        descriptor as number,
        bytes as Buffer,
        offset as number,
        Math.min(length as number, 100),
        position as number,
      ),
    );
    const pair = somePair();
    expect(folder.journal().record(pair)).not.toBeNull();
    faults.clear();
    expect(replayedIds(folder.journal())).toEqual(idsOf([pair]));
  });

  it.each([
    ['writes nothing more', () => 0],
    ['is full', () => fail('ENOSPC')],
  ])('takes no torn record for a durable one when the disk %s in the middle of it', (_name, end) => {
    const journal = folder.journal();
    const [before, torn, after] = [somePair(), somePair(), somePair()];
    journal.record(before);
    inject('writeSync', (call, descriptor, bytes, offset, _length, position) =>
      call > 1
        ? end()
        : realFs.writeSync(descriptor as number, bytes as Buffer, offset as number, 200, position as number),
    );
    expect(journal.record(torn)).toBeNull();
    faults.clear();
    expect(journal.record(after)).not.toBeNull();
    expect(replayedIds(folder.journal())).toEqual(idsOf([before, after]));
    journal.erase(torn.authorizationId);
    expect(folder.text()).not.toContain(torn.authorizationId);
  });

  it('overwrites what could not be synchronised, and goes on in another file', () => {
    const journal = folder.journal();
    journal.record(somePair());
    inject('fdatasyncSync', (call) => (call === 1 ? fail('EIO') : undefined));
    const torn = somePair();
    expect(journal.record(torn)).toBeNull();
    expect(folder.text()).not.toContain(torn.authorizationId);
    expect(journal.record(somePair())).not.toBeNull();
    expect(folder.files()).toHaveLength(2);
  });

  it('keeps no file for a record that could not be written', () => {
    const journal = folder.journal();
    journal.prepare();
    inject('fdatasyncSync', () => fail('EIO'));
    expect(journal.record(somePair())).toBeNull();
    expect(folder.files()).toEqual([]);
  });

  it.each(['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EACCES'])(
    'journals on a platform that cannot synchronise a folder (%s)',
    (code) => {
      const isFolder = (descriptor: unknown) => realFs.fstatSync(descriptor as number).isDirectory();
      inject('fsyncSync', (_call, descriptor) => (isFolder(descriptor) ? fail(code) : undefined));
      const pair = somePair();
      expect(folder.journal().record(pair)).not.toBeNull();
      expect(replayedIds(folder.journal())).toEqual(idsOf([pair]));
    },
  );

  it.each(['EACCES', 'EIO', 'EMFILE'])(
    'replays every other file when one cannot be opened (%s), and that one later',
    (code) => {
      const pairs = [somePair(), somePair(), somePair()];
      for (const pair of pairs) folder.journal().record(pair);
      const [, hidden] = folder.files();
      inject('openSync', (_call, path) => (path === hidden ? fail(code) : undefined));
      const restarted = folder.journal();
      const first = replayedIds(restarted);
      expect(first).toHaveLength(2);
      expect(restarted.hasUnreadFiles).toBe(true);
      faults.clear();
      expect(replayedIds(restarted)).toEqual(idsOf(pairs));
      expect(restarted.hasUnreadFiles).toBe(false);
    },
  );

  it('passes over a file that another process removes', () => {
    const [kept, gone] = [somePair(), somePair()];
    folder.journal().record(gone);
    const [path] = folder.files();
    folder.journal().record(kept);
    inject('openSync', (_call, opened) => (opened === path ? fail('ENOENT') : undefined));
    const restarted = folder.journal();
    expect(replayedIds(restarted)).toEqual(idsOf([kept]));
    expect(restarted.hasUnreadFiles).toBe(false);
  });

  it('lists the folder again when it could not be listed', () => {
    const pair = somePair();
    folder.journal().record(pair);
    inject('readdirSync', (call) => (call === 1 ? fail('EMFILE') : undefined));
    const restarted = folder.journal();
    expect(restarted.replay()).toEqual([]);
    expect(restarted.hasUnreadFiles).toBe(true);
    expect(replayedIds(restarted)).toEqual(idsOf([pair]));
  });

  it('records although a file whose time is over cannot be removed', () => {
    const journal = folder.journal();
    journal.confirm(journal.record(somePair())!);
    folder.age();
    folder.clock.nowMs += 60 * 60_000;
    inject('rmSync', () => fail('EPERM'));
    journal.clean();
    expect(journal.record(somePair())).not.toBeNull();
  });

  it('starts in production with a full disk, and not with one that is read-only', () => {
    const start = () => {
      folder.journal({ production: true }).onModuleInit();
    };
    inject('openSync', () => fail('ENOSPC'));
    expect(start).not.toThrow();
    inject('openSync', () => fail('EROFS'));
    expect(start).toThrow(/EROFS/);
  });
});
