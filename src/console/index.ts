export { NotionAuthConsoleModule } from './console.module.js';
export type { ConsoleActor, NotionAuthConsoleOptions } from './console.options.js';
