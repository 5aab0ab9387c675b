import { parseUrl } from './parse-url.js';

describe('parseUrl', () => {
  it('is of the same opinion however often it is asked', () => {
    let refused = 0;
    for (let call = 0; call < 50_000; call += 1) {
      if (parseUrl('https://b\u00fccher.example/caf\u00e9') === null) refused += 1;
    }
    expect(refused).toBe(0);
  });

  it.each(['', 'not a url', 'https://', 'https://app.example:99999/'])('is null for %j', (text) => {
    expect(parseUrl(text)).toBeNull();
  });

  it('resolves against a base', () => {
    expect(parseUrl('/a', 'https://app.example')?.href).toBe('https://app.example/a');
  });
});
