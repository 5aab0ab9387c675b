/** On a scheduled method: the token of the provider that an application has once its scheduler is there. */
export const SCHEDULER_OF_METHOD = Symbol('NOTION_SCHEDULER_OF_METHOD');
