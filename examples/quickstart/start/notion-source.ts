import { NotionSimulator } from 'nestjs-notion-auth/testing';
import { NotionStandIn } from '../notion-stand-in.js';
import { isGiven, type Environment } from './environment.js';
import { StartProblem } from './start.problem.js';

const SIMULATOR_FILE = './data/notion-simulator.json';

/**
 * The real Notion where credentials are given, otherwise a simulator that remembers its grants over restarts.
 * @throws {@link StartProblem} in production without credentials.
 */
export async function openNotion(environment: Environment): Promise<NotionStandIn> {
  if (isGiven(environment, 'NOTION_CLIENT_ID') || isGiven(environment, 'NOTION_CLIENT_SECRET')) {
    return new NotionStandIn(null);
  }
  if (environment['NODE_ENV'] === 'production') {
    throw new StartProblem(
      'NODE_ENV is production, and NOTION_CLIENT_ID and NOTION_CLIENT_SECRET are not set. The simulator is for development only: set both, in the environment or in .env, or unset NODE_ENV.',
    );
  }
  const simulator = await NotionSimulator.start({
    connectionName: 'Quickstart',
    redirectUris: environment['NOTION_REDIRECT_URIS']?.split(','),
    persistTo: SIMULATOR_FILE,
  });
  environment['NOTION_CLIENT_ID'] = simulator.clientId;
  environment['NOTION_CLIENT_SECRET'] = simulator.clientSecret;
  environment['NOTION_API_BASE_URL'] = simulator.url;
  return new NotionStandIn(simulator);
}
