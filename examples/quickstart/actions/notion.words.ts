import { isFullPageOrDataSource, isFullUser, type Client, type PageObjectResponse } from '@notionhq/client';
import type { ActionAnswer } from './action.js';

type Bot = Awaited<ReturnType<Client['users']['me']>>;
type Found = Awaited<ReturnType<Client['search']>>['results'][number];

export function describeBot(bot: Bot): ActionAnswer {
  if (!isFullUser(bot) || bot.type !== 'bot' || !('workspace_name' in bot.bot)) {
    return { headline: `Notion knows this token as ${bot.id}.` };
  }
  const { workspace_name: workspaceName, owner } = bot.bot;
  const person = owner.type === 'user' && 'name' in owner.user ? owner.user.name : null;
  return {
    headline: `Connected to ${workspaceName ?? 'a workspace without a name'}.`,
    details: [`Bot: ${bot.name ?? bot.id}`, ...(person === null ? [] : [`On behalf of: ${person}`])],
  };
}

export function titleOf(found: Found): string {
  if (!isFullPageOrDataSource(found)) return `${found.object} ${found.id}`;
  const title = found.object === 'page' ? titleProperty(found) : found.title;
  return title.map((text) => text.plain_text).join('') || 'Untitled';
}

/** A page has its title among its properties, under a name that the person chose. */
function titleProperty({ properties }: PageObjectResponse) {
  const title = Object.values(properties).find((property) => property.type === 'title');
  return title?.title ?? [];
}
