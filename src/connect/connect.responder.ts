import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ConnectRequest } from './connect-request.js';
import { CONNECT_PAGE_CSP } from './connect.page.js';

/** Neither a cache, a frame nor the next site learns of these answers: their address may carry a code. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Answers through Nest's HTTP adapter, so alike on Express and on Fastify. */
@Injectable()
export class ConnectResponder {
  constructor(private readonly host: HttpAdapterHost) {}

  /** 303, so that whatever came in is followed by a GET without a body (RFC 9700 section 4.12). */
  seeOther(response: unknown, location: string, setCookie?: string): void {
    this.setCookie(response, setCookie);
    // Not `redirect()`: its body would repeat the address, and with it the state.
    this.send(response, 303, '', { Location: location });
  }

  page(response: unknown, status: number, html: string): void {
    const headers = {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': CONNECT_PAGE_CSP,
    };
    this.send(response, status, html, headers);
  }

  json(response: unknown, status: number, body: object, setCookie?: string): void {
    this.setCookie(response, setCookie);
    this.send(response, status, body, {});
  }

  /** The answer to a speculative request. A browser does not show a user what it prefetched with an error status. */
  nothing(response: unknown, { method }: Pick<ConnectRequest, 'method'>): void {
    this.send(response, method === 'HEAD' ? 204 : 503, '', {});
  }

  private setCookie(response: unknown, setCookie: string | undefined): void {
    if (setCookie !== undefined) this.host.httpAdapter.appendHeader(response, 'Set-Cookie', setCookie);
  }

  private send(
    response: unknown,
    status: number,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): void {
    const { httpAdapter } = this.host;
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers }))
      httpAdapter.setHeader(response, name, value);
    httpAdapter.reply(response, body, status);
  }
}
