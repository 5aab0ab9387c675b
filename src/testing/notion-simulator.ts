import { CodeBook } from './code.book.js';
import { ConsentDesk, type ConsentChoice } from './consent.desk.js';
import { ConsentEndpoint } from './consent.endpoint.js';
import { GrantBook, type IssuedPair } from './grant.book.js';
import { NotionDirectory } from './notion.directory.js';
import { NotionLedger } from './notion.ledger.js';
import { IndexEndpoint } from './index.endpoint.js';
import type { ListedGrant } from './index.page.js';
import { Randomness } from './randomness.js';
import { RequestJournal } from './request.journal.js';
import { ResourceEndpoint } from './resource.endpoint.js';
import { SAMPLE_PEOPLE, SAMPLE_WORKSPACES } from './sample-workspaces.js';
import type { RegisteredConnection } from './simulated.call.js';
import {
  FaultPlan,
  type Fault,
  type FaultHandle,
  type FaultScope,
  type FaultTarget,
} from './simulator.faults.js';
import { loadSimulator, saveSimulator, type SavedSimulator } from './simulator.file.js';
import { ModeSwitch, type SimulatorModes, type SimulatorModesChange } from './simulator.modes.js';
import type { NotionSimulatorOptions } from './simulator.options.js';
import { SimulatorServer } from './simulator.server.js';
import { TokenEndpoint } from './token.endpoint.js';
import { IntrospectEndpoint, RevokeEndpoint } from './token-status.endpoints.js';
import { TokenMint } from './token.mint.js';
import { TokenRegister } from './token.register.js';
import { WebhookSubscription } from './webhook.subscription.js';

/** A grant with its pair, as an application would have stored it after the exchange. */
export interface SimulatedAuthorization {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly clientId: string;
  readonly botId: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly workspaceIcon: string | null;
  readonly ownerType: 'user' | 'workspace';
  /** `null` when the owner is the workspace. */
  readonly ownerUserId: string | null;
  readonly ownerName: string | null;
  readonly duplicatedTemplateId: string | null;
}

/**
 * A stand-in for Notion: a real HTTP server on a loopback port with the OAuth endpoints, a consent page and a
 * few API calls, a ledger of every token it ever issued, and modes and faults for what the real one may do.
 *
 * @example
 * ```ts
 * const simulator = await NotionSimulator.start();
 * const stored = simulator.grant();
 * simulator.expireAccessToken(stored.botId);
 * // … let the application under test call Notion at simulator.url …
 * expect(simulator.ledger.refreshes(stored.botId)).toBe(1);
 * await simulator.close();
 * ```
 */
export class NotionSimulator {
  /** Every token issued and every request seen. */
  readonly ledger: NotionLedger;
  private readonly randomness: Randomness;
  private readonly register = new TokenRegister();
  private readonly faults = new FaultPlan();
  private readonly modes: ModeSwitch;
  private readonly directory: NotionDirectory;
  private readonly connection: RegisteredConnection;
  private readonly mint: TokenMint;
  private readonly codes: CodeBook;
  private readonly grants: GrantBook;
  private readonly desk: ConsentDesk;
  private readonly server: SimulatorServer;
  private port = 0;

  private constructor(private readonly options: NotionSimulatorOptions) {
    const saved = options.persistTo === undefined ? null : loadSimulator(options.persistTo);
    this.randomness = new Randomness(options.seed);
    this.modes = new ModeSwitch(options.modes);
    const { workspaces = SAMPLE_WORKSPACES, people = SAMPLE_PEOPLE } = options;
    this.directory = new NotionDirectory(workspaces, people, this.randomness);
    this.connection = this.registerConnection(saved);
    this.mint = new TokenMint(this.randomness, options.tokenFactory);
    this.codes = new CodeBook(this.mint, this.modes);
    this.grants = new GrantBook(this.register, this.modes, this.randomness, this.mint);
    this.desk = new ConsentDesk(this.connection, this.codes, this.directory);
    const journal = new RequestJournal(options.keptRequests ?? 10_000);
    this.ledger = new NotionLedger(journal, this.register);
    this.server = this.serve(journal);
    if (saved !== null) this.restore(saved);
  }

  /** Starts one; {@link NotionSimulator.close} it when the test ends. */
  static async start(options: NotionSimulatorOptions = {}): Promise<NotionSimulator> {
    const simulator = new NotionSimulator(options);
    simulator.port = await simulator.server.listen(options.port ?? 0);
    simulator.save();
    return simulator;
  }

  /** Origin, for example `http://127.0.0.1:41234`; `http://localhost:41234` reaches it as well. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get clientId(): string {
    return this.connection.clientId;
  }

  get clientSecret(): string {
    return this.connection.clientSecret;
  }

  /** Changes any part of the modes, at once. */
  configure(change: SimulatorModesChange): void {
    this.modes.change(change);
  }

  /** The modes in force. */
  get configuration(): Readonly<SimulatorModes> {
    return this.modes.current;
  }

  /** Returns to the modes it was started with and clears all faults. Grants, tokens and the ledger stay. */
  reset(): void {
    this.modes.reset();
    this.faults.clear();
  }

  /** Lets requests to an endpoint fail, each in the order in which the faults were asked for. */
  fail(target: FaultTarget, fault: Fault, scope?: FaultScope): FaultHandle {
    return this.faults.add(target, fault, scope);
  }

  clearFaults(): void {
    this.faults.clear();
  }

  /** Registers one more redirect URI; from then on only registered ones are accepted. */
  registerRedirectUri(redirectUri: string): void {
    this.connection.redirectUris = [...(this.connection.redirectUris ?? []), redirectUri];
  }

  /** Notion's secret is regenerated in the developer portal: the old one is refused from now on. */
  rotateClientSecret(newSecret: string): void {
    this.connection.clientSecret = newSecret;
    this.save();
  }

  /**
   * What pressing *Allow* does, without a browser.
   * @returns The authorization code that Notion would call back with.
   */
  authorize({ redirectUri, ...choice }: ConsentChoice & { readonly redirectUri?: string } = {}): string {
    const uri = redirectUri ?? this.connection.redirectUris?.[0];
    if (uri === undefined) throw new Error('Name the redirectUri, or register one.');
    return this.codes.issue(this.desk.consentOf(choice), uri);
  }

  /**
   * Opens an authorize URL, as the application redirected to it, and presses *Allow*.
   * @returns The callback URL that Notion redirects to.
   * @throws {@link UnusableAuthorizeRequest} where Notion shows an error page instead of calling back.
   */
  allow(authorizeUrl: string, choice: ConsentChoice = {}): string {
    const query = new URL(authorizeUrl).searchParams;
    this.desk.redirectUriOf(query);
    return this.desk.complaint(query) ?? this.desk.allow(query, this.desk.consentOf(choice));
  }

  /** The same with *Cancel*. @throws {@link UnusableAuthorizeRequest} */
  deny(authorizeUrl: string): string {
    const query = new URL(authorizeUrl).searchParams;
    this.desk.redirectUriOf(query);
    return this.desk.complaint(query) ?? this.desk.deny(query);
  }

  /**
   * Mints a token pair without OAuth, for tests that begin with a stored authorization. Without `person` each
   * call is the grant of another, made-up person; with `person` a second call is a re-authorization.
   */
  grant(choice: ConsentChoice = {}): SimulatedAuthorization {
    const person = choice.person ?? this.directory.inventPerson().id;
    const pair = this.grants.authorize(this.desk.consentOf({ ...choice, person }), null);
    this.save();
    return this.describe(pair);
  }

  /**
   * Notion forgets an access token; the grant and its refresh token stay.
   * @param accessTokenOrBotId - With a bot id, every access token of that grant.
   */
  expireAccessToken(accessTokenOrBotId: string): void {
    const token = this.register.find(accessTokenOrBotId);
    if (token !== undefined) this.register.end(token, 'expired', null);
    else if (this.grants.find(accessTokenOrBotId) !== undefined)
      this.grants.expireAccessTokens(accessTokenOrBotId);
    else throw new Error('The simulator knows no such access token or bot id.');
    this.save();
  }

  expireAllAccessTokens(): void {
    for (const { botId } of this.grants.list()) this.grants.expireAccessTokens(botId);
    this.save();
  }

  /** The person disconnects the connection in Notion's settings: every token of the grant is dead. */
  revokeGrant(botId: string): void {
    this.grants.revokeGrant(botId, null);
    this.save();
  }

  /** Every grant, revoked ones too, as the index page at {@link NotionSimulator.url} shows them. */
  listGrants(): ListedGrant[] {
    return this.grants.list().map(({ botId, workspaceId, personId, revoked }) => ({
      botId,
      workspaceName: this.directory.workspace(workspaceId).name,
      personName: this.directory.person(personId).name,
      isRevoked: revoked,
      hasLiveAccessToken: this.ledger.live(botId).accessToken !== null,
    }));
  }

  /** A webhook subscription that delivers to this address of the application under test. */
  webhookTo(url: string): WebhookSubscription {
    return new WebhookSubscription(url, this.randomness, this.clientId);
  }

  /** Ends the server and every open connection. */
  async close(): Promise<void> {
    await this.server.close();
    this.save();
  }

  private registerConnection(saved: SavedSimulator | null): RegisteredConnection {
    const { clientId, clientSecret, connectionName = 'Your application', redirectUris } = this.options;
    return {
      clientId: clientId ?? saved?.clientId ?? this.randomness.uuid(),
      clientSecret: clientSecret ?? saved?.clientSecret ?? `secret_${this.randomness.letters(43)}`,
      name: connectionName,
      redirectUris: redirectUris === undefined ? null : [...redirectUris],
    };
  }

  private serve(journal: RequestJournal): SimulatorServer {
    const { connection, modes, codes, grants, directory, desk, faults, register } = this;
    return new SimulatorServer({
      endpoints: {
        authorize: new ConsentEndpoint(connection, desk, directory),
        token: new TokenEndpoint(connection, modes, codes, grants, journal, directory),
        introspect: new IntrospectEndpoint(connection, modes),
        revoke: new RevokeEndpoint(connection, modes, grants),
        api: new ResourceEndpoint(connection, modes, grants, directory),
      },
      index: new IndexEndpoint(this, connection),
      faults,
      journal,
      modes,
      register,
      keepAliveMs: this.options.keepAliveMs ?? 60_000,
      afterProcessing: () => {
        this.save();
      },
    });
  }

  private describe({ grant, accessToken, refreshToken }: IssuedPair): SimulatedAuthorization {
    const workspace = this.directory.workspace(grant.workspaceId);
    const person = this.modes.current.owner === 'workspace' ? null : this.directory.person(grant.personId);
    return {
      accessToken,
      refreshToken: refreshToken ?? null,
      clientId: this.clientId,
      botId: grant.botId,
      workspaceId: workspace.id,
      workspaceName: workspace.name,
      workspaceIcon: workspace.icon,
      ownerType: person === null ? 'workspace' : 'user',
      ownerUserId: person?.id ?? null,
      ownerName: person?.name ?? null,
      duplicatedTemplateId: grant.duplicatedTemplateId,
    };
  }

  private save(): void {
    if (this.options.persistTo === undefined) return;
    saveSimulator(this.options.persistTo, {
      clientId: this.clientId,
      clientSecret: this.clientSecret,
      made: this.mint.made,
      people: this.directory.people(),
      grants: this.grants.list(),
      tokens: this.register.list(),
    });
  }

  private restore(saved: SavedSimulator): void {
    for (const person of saved.people) this.directory.addPerson(person);
    this.register.restore(saved.tokens);
    this.grants.restore(saved.grants);
    this.mint.restore(saved.made);
  }
}
