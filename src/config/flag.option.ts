import type { ConfigFindings } from './config-findings.js';

/** A switch that must be a boolean: text such as `'false'` would otherwise count as true. */
export function readFlag(option: string, value: unknown, findings: ConfigFindings): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  findings.problem(option, 'must be true or false');
  return undefined;
}
