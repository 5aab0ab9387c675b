import type { Authorization } from '../domain/authorization.js';

const LONGEST = 200;

/** As its people know it; shortened where somebody gave it a novel for a name. */
export function nameOf({ workspaceName }: Pick<Authorization, 'workspaceName'>): string {
  const name = (workspaceName ?? '').trim();
  if (name === '') return 'Workspace without a name';
  const letters = Array.from(name);
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST).join('')}…` : name;
}
