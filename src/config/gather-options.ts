import { KeyProvider } from '../domain/key-provider.js';
import type {
  ClientSecretSource,
  GatheredOptions,
  NotionAuthOptions,
  OptionProblem,
} from './notion-auth.options.js';

/** The options with the answers of their providers in place, and where the client secret can be asked for again. */
export interface Gathering {
  readonly options: GatheredOptions;
  readonly clientSecretSource: ClientSecretSource | null;
}

/**
 * Asks the providers among the options. One that fails becomes a problem of its option, for `resolveConfig` to report
 * with the others; what it said stays out of it, because it may quote what it holds.
 */
export async function gatherOptions(given: NotionAuthOptions): Promise<Gathering> {
  if (!isObject(given)) return { options: given, clientSecretSource: null };
  const problems: OptionProblem[] = [];
  const answerOf = async <Answer>(
    option: string,
    ask: () => Answer | Promise<Answer>,
  ): Promise<Answer | undefined> => {
    try {
      return await ask();
    } catch {
      problems.push({ option, rule: 'its provider failed' });
      return undefined;
    }
  };
  const { clientSecret, encryptionKeys, ...rest } = given;
  const source = typeof clientSecret === 'function' ? clientSecret : null;
  const secret =
    typeof clientSecret === 'function' ? await answerOf('clientSecret', clientSecret) : clientSecret;
  const keys =
    encryptionKeys instanceof KeyProvider
      ? await answerOf('encryptionKeys', () => encryptionKeys.keys())
      : encryptionKeys;
  const options: GatheredOptions = { ...rest, clientSecret: secret ?? '', encryptionKeys: keys };
  return {
    options:
      problems.length === 0 ? options : { ...options, problems: [...(rest.problems ?? []), ...problems] },
    clientSecretSource: source,
  };
}

/** Applications in plain JavaScript may give anything. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
