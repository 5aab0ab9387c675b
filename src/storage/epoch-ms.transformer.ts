import type { ValueTransformer } from 'typeorm';

/** Instants are epoch milliseconds in a `bigint`, which PostgreSQL and MySQL hand over as a string. */
export const epochMs: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: string | number | null | undefined) =>
    value === null || value === undefined ? value : Number(value),
};
