import type { ObjectLiteral } from 'typeorm';

export interface SqlCase {
  readonly sql: string;
  readonly parameters: ObjectLiteral;
}

/**
 * A value of its own for each row (by `id`) of one statement, in SQL that every engine speaks. Texts become
 * parameters; numbers, `null` and expressions of our own stand in the statement, where no engine mistakes their type.
 * @param name - unique within the statement
 */
export function caseOf(
  name: string,
  values: readonly (readonly [id: string, value: string | number | null | (() => string)])[],
): SqlCase {
  const parameters: ObjectLiteral = {};
  const branches = values.map(([id, value], index) => {
    const when = `${name}Id${String(index)}`;
    const then = `${name}${String(index)}`;
    parameters[when] = id;
    if (typeof value === 'string') parameters[then] = value;
    return `WHEN :${when} THEN ${typeof value === 'string' ? `:${then}` : literal(value)}`;
  });
  return { sql: `CASE id ${branches.join(' ')} END`, parameters };
}

function literal(value: number | null | (() => string)): string {
  if (typeof value === 'function') return value();
  return value === null ? 'NULL' : String(value);
}
