import type { CanaryVisitor } from './canary.visitor.js';
import type { SeenBytes } from './seen.bytes.js';

const CONSOLE = '/notion/console';

/** Every page of the console over what the other ways left behind, and every button. */
export async function operateConsole(
  { url, seen }: { readonly url: string; readonly seen: SeenBytes },
  {
    id,
    botId,
    owner,
    visitor,
  }: { readonly id: string; readonly botId: string; readonly owner: string; readonly visitor: CanaryVisitor },
): Promise<void> {
  const pages = {
    minutes: '?span=15m',
    day: '?span=24h',
    week: '?span=7d',
    list: '/authorizations',
    bot: `/authorizations?q=${botId}`,
    owner: `/authorizations?q=${owner}`,
    dead: '/authorizations?status=needs_reconnect',
    nonsense: `/authorizations?q=${encodeURIComponent(`<%_\\'"`)}`,
  };
  for (const [name, path] of Object.entries(pages)) {
    await visitor.ask('GET', CONSOLE + path);
    seen.drove(`console: ${name}`);
  }
  const one = `${CONSOLE}/authorizations/${id}`;
  const { text } = await visitor.ask('GET', one);
  const [, formToken] = /name="formToken"\s+value="([^"]+)"/.exec(text) ?? [];
  await visitor.ask('POST', `${one}/refresh`, { formToken: 'of another browser' });
  seen.drove('console: a form of another browser');
  for (const action of ['refresh', 'reconnect-link', 'disconnect']) {
    const at = `${one}/${action}`;
    const { status, location } = await visitor.ask('POST', at, { formToken, confirmed: 'yes' });
    if (status !== 303) throw new Error(`A button of the console was answered ${String(status)}.`);
    const { pathname, search } = new URL(location, url + at);
    await visitor.ask('GET', pathname + search);
    seen.drove(`console: ${action}`);
  }
}
