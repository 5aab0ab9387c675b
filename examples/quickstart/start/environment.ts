export type Environment = Record<string, string | undefined>;

/** True when a variable is set, itself or through a file. An empty one counts as not set, as in `.env.example`. */
export function isGiven(environment: Environment, name: string): boolean {
  return [name, `${name}_FILE`].some((variable) => (environment[variable] ?? '') !== '');
}
