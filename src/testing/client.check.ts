import type { ModeSwitch } from './simulator.modes.js';
import type { RegisteredConnection, SimulatedCall } from './simulated.call.js';
import { apiError, oauthError, type Answer } from './wire.answers.js';

const VERSION_FORM = /^\d{4}-\d{2}-\d{2}$/;

/** What every Notion endpoint asks for: the `Notion-Version` header. `null` when it is in order. */
export function versionProblem({ headers }: SimulatedCall, modes: ModeSwitch): Answer | null {
  const version = headers['notion-version'];
  if (version === undefined) {
    return modes.current.requireVersionHeader
      ? apiError(400, 'missing_version', 'Notion-Version header should be defined.')
      : null;
  }
  if (typeof version === 'string' && VERSION_FORM.test(version)) return null;
  return apiError(400, 'validation_error', 'Notion-Version header failed validation.');
}

/** What every OAuth endpoint asks for besides: the client in a Basic header, and a JSON object. */
export function clientProblem(
  call: SimulatedCall,
  connection: RegisteredConnection,
  modes: ModeSwitch,
): Answer | null {
  const shape = modes.current.oauthErrorShape;
  const version = versionProblem(call, modes);
  if (version !== null) return version;
  if (call.headers.authorization !== basicHeader(connection)) {
    return oauthError(shape, 401, 'invalid_client', 'Invalid client credentials.');
  }
  if (call.headers['content-type']?.startsWith('application/json') !== true) {
    return oauthError(shape, 400, 'invalid_request', 'The request body must be JSON.');
  }
  if (call.json === undefined) return oauthError(shape, 400, 'invalid_request', 'Error parsing JSON body.');
  return null;
}

function basicHeader({ clientId, clientSecret }: RegisteredConnection): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
}
