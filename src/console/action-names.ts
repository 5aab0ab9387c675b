/** What an operator can do; also the last segment of each route. */
export const ACTION_NAMES = ['refresh', 'reconnect-link', 'disconnect'] as const;
export type ActionName = (typeof ACTION_NAMES)[number];

export function isActionName(name: string): name is ActionName {
  return (ACTION_NAMES as readonly string[]).includes(name);
}
