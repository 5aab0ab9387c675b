import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CONNECT_PAGE_CSP, renderConnectPage } from './connect.page.js';

describe('renderConnectPage', () => {
  const page = renderConnectPage({
    title: '<b>',
    paragraphs: ['a & b', '<script>alert(1)</script>'],
    next: { href: '/x?a="onclick=', label: '<i>' },
    code: '"><script>',
  });

  it('escapes everything it is given', () => {
    expect(page).not.toMatch(/<script|<b>|<i>|"onclick/);
    expect(page).toContain('a &amp; b');
  });

  it('A22: allows its own style by hash, loads nothing else, and cannot be framed', () => {
    const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(CONNECT_PAGE_CSP).toContain(`style-src 'sha256-${hash}'`);
    expect(CONNECT_PAGE_CSP).toContain("default-src 'none'");
    expect(CONNECT_PAGE_CSP).toContain("frame-ancestors 'none'");
    expect(page).not.toMatch(/https?:\/\/|style=|src=/);
  });
});
