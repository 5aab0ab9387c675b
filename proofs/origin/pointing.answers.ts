import type { Fault } from 'nestjs-notion-auth/testing';
import { redirectTargets, type TwoPorts } from './address.matrix.js';

export const REDIRECTS = [301, 302, 303, 307, 308] as const;
/** No redirects, but they too can say where else to ask. */
const HINTING_STATUSES = [200, 201, 202, 300, 305, 306, 401, 403, 429, 503];

export type PointingAnswer = Extract<Fault, { kind: 'redirect' | 'status' }>;

/** Redirects to everywhere, and answers of other kinds whose headers name another place. */
export function pointingAnswers(ports: TwoPorts): PointingAnswer[] {
  const targets = redirectTargets(ports);
  const redirects = REDIRECTS.flatMap((status) =>
    targets.map((location): PointingAnswer => ({ kind: 'redirect', status, location })),
  );
  const [elsewhere = ''] = targets;
  const headers = {
    location: elsewhere,
    'content-location': elsewhere,
    refresh: `0; url=${elsewhere}`,
    link: `<${elsewhere}>; rel=canonical`,
    'alt-svc': `h2="127.0.0.1:${ports.foreign}"; ma=86400; persist=1`,
  };
  const hints = HINTING_STATUSES.map((status): PointingAnswer => ({
    kind: 'status',
    status,
    headers,
    body: {},
  }));
  return [...redirects, ...hints];
}
