import { ForbiddenException, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Session } from './session.js';

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/**
 * Lets any browser of this machine into the console that has opened the first page: whoever runs the demo is its
 * operator. The console shows the authorizations of everybody, so a real application asks its sign-in whether this is
 * one of its operators, and keeps the route off the public address besides.
 */
@Injectable()
export class DemoOperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (LOOPBACK.has(request.socket.remoteAddress ?? '') && Session.of(request) !== null) return true;
    throw new ForbiddenException('Open the first page in this browser, on this machine, then come back.');
  }
}
