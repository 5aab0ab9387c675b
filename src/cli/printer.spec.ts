import { describe, expect, it } from '@jest/globals';
import { Printer } from './printer.js';

function printerTo(isTTY: boolean) {
  const written: string[] = [];
  const print = new Printer({ isTTY, write: (text) => written.push(text) });
  return { print, output: () => written.join('') };
}

describe('Printer', () => {
  it('draws one bar over and over on a terminal, and clears it for a line in between', () => {
    const { print, output } = printerTo(true);
    print.progress(0.5, '1 of 2');
    print.line('line 1: is not JSON');
    print.progress(1, '2 of 2');
    print.progress(1, '2 of 2');
    print.line('done');
    const [begun, said, ended, done] = output().split('\n');
    expect(begun).toBe(`\r\u001b[K${'█'.repeat(15)}${'░'.repeat(15)} 1 of 2\r\u001b[Kline 1: is not JSON`);
    expect(said).toBe(`\r\u001b[K${'█'.repeat(30)} 2 of 2`);
    expect([ended, done]).toEqual(['done', '']);
  });

  it('draws no bar where the whole is not known', () => {
    const { print, output } = printerTo(true);
    print.progress(null, '7 lines read');
    expect(output()).toBe('\r\u001b[K7 lines read');
  });

  it('writes plain lines without a terminal: the first, one now and then, and the last', () => {
    const { print, output } = printerTo(false);
    for (let done = 1; done <= 1_000; done++) print.progress(done / 1_000, `${String(done)} of 1000`);
    expect(output()).toBe('1 of 1000\n1000 of 1000\n');
  });

  it('lets no name move the cursor, end a line or turn text around', () => {
    const { print, output } = printerTo(false);
    const name = 'a\u001b[2Jb\nc\u202ed\u009b';
    print.table(['workspace'], [[name]]);
    expect(output().split('\n')).toEqual(['workspace', 'a\ufffd[2Jb\ufffdc\ufffdd\ufffd', '']);
  });

  it('writes JSON that says the same, in plain characters', () => {
    const { print, output } = printerTo(false);
    const value = { name: 'a\u001b[2Jb\nc\u202ed\u009b' };
    print.json(value);
    expect(JSON.parse(output())).toEqual(value);
    expect(output()).toMatch(/^[\x20-\x7e]+\n$/);
  });

  it('masks what looks like a secret', () => {
    const { print, output } = printerTo(false);
    print.line('the token ntn_0123456789abcdef');
    expect(output()).toBe('the token [masked]\n');
  });
});
