import type { NextFunction, Request, Response } from 'express';
import type { QuickstartAddress } from './quickstart.address.js';

/**
 * Serves only requests for this machine by one of its own names. A page of another site can give its name the address
 * 127.0.0.1 (DNS rebinding): the browser then lets it read what it asks here, and its `Host` header still has its name.
 */
export function checkHost(address: QuickstartAddress) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (address.isNamedBy(request.headers.host)) next();
    else response.status(421).type('text/plain').send(`This is the quickstart. Open ${address.url}\n`);
  };
}
