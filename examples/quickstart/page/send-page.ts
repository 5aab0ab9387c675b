import { randomBytes } from 'node:crypto';
import type { Response } from 'express';
import type { Html } from './html.js';

/** Answers with a page that may load nothing but its own style and script, which carry the nonce. */
export function sendPage(response: Response, status: number, render: (nonce: string) => Html): void {
  const nonce = randomBytes(16).toString('base64');
  response
    .status(status)
    .set({
      'Content-Security-Policy': contentSecurityPolicy(nonce),
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    })
    .type('html')
    .send(render(nonce).markup);
}

function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
