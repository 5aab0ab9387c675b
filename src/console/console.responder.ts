import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { STYLE } from './console.style.js';
import type { Html } from './html.js';

/** Nothing is loaded from anywhere, and nothing runs: the pages have no script. Their icon stands in them. */
export const CONSOLE_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE, 'utf8').digest('base64')}'`,
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONSOLE_CSP,
  // With `no-referrer` a browser would send its forms from the origin `null`.
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

/** Answers through Nest's HTTP adapter, so alike on Express and on Fastify. */
@Injectable()
export class ConsoleResponder {
  constructor(private readonly host: HttpAdapterHost) {}

  page(response: unknown, status: number, page: Html, setCookie?: string): void {
    if (setCookie !== undefined) this.host.httpAdapter.appendHeader(response, 'Set-Cookie', setCookie);
    this.send(response, status, page.markup, { 'Content-Type': 'text/html; charset=utf-8' });
  }

  /** 303, so that a form is followed by a page which may be loaded again. */
  seeOther(response: unknown, location: string): void {
    this.send(response, 303, '', { Location: location });
  }

  private send(
    response: unknown,
    status: number,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): void {
    const { httpAdapter } = this.host;
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers }))
      httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, body, status);
  }
}
