import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { INestApplicationContext } from '@nestjs/common';
import { EPHEMERAL_KEY_PREFIX } from '../config/encryption-keys.option.js';
import { NOTION_AUTH_CONFIG, type NotionAuthConfig } from '../config/notion-auth.options.js';
import { AuthorizationDirectory } from '../domain/authorization-directory.js';
import { AuthorizationStore } from '../domain/authorization-store.js';
import { NotionConfigError } from '../domain/errors.js';
import { EXIT_FAILED } from './exit-codes.js';
import { connectionOf, parsedLine } from './import.line.js';
import type { Printer } from './printer.js';
import { withApplication } from './with-application.js';

interface ImportOptions {
  readonly dryRun?: boolean;
}

/**
 * Grants that are there already are left as they are: their stored pair may be newer than the one in the file, and
 * the older refresh token would be dead.
 */
export async function importTokens(print: Printer, file: string, options: ImportOptions): Promise<void> {
  const lines = await LinesRead.of(file);
  const run = await withApplication(async (application) => {
    const importing = new ImportRun(application, print, options);
    for await (const text of lines) {
      await importing.take(text);
      print.progress(lines.share, `${String(importing.lines)} lines read`);
    }
    return importing;
  });
  print.line(run.summary);
  if (run.hasRefused) process.exitCode = EXIT_FAILED;
}

/** The lines of a file or of standard input, and how far they have been read. */
class LinesRead implements AsyncIterable<string> {
  private constructor(
    private readonly input: NodeJS.ReadableStream & { readonly bytesRead?: number },
    private readonly size: number | null,
  ) {}

  static async of(file: string): Promise<LinesRead> {
    if (file === '-') return new LinesRead(process.stdin, null);
    const { size } = await stat(file);
    return new LinesRead(createReadStream(file), size);
  }

  /** `null` where the size is not known. Never quite all: what was read is not yet done. */
  get share(): number | null {
    return this.size === null ? null : Math.min(0.99, (this.input.bytesRead ?? 0) / Math.max(1, this.size));
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    return createInterface({ input: this.input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }
}

class ImportRun {
  lines = 0;
  private imported = 0;
  private alreadyThere = 0;
  private refused = 0;
  /** Of a dry run, which leaves nothing behind that could be looked up. */
  private readonly botsSeen = new Set<string>();
  private readonly store: AuthorizationStore;
  private readonly directory: AuthorizationDirectory;
  private readonly config: NotionAuthConfig;

  constructor(
    application: INestApplicationContext,
    private readonly print: Printer,
    private readonly options: ImportOptions,
  ) {
    this.store = application.get(AuthorizationStore, { strict: false });
    this.directory = application.get(AuthorizationDirectory, { strict: false });
    this.config = application.get<NotionAuthConfig>(NOTION_AUTH_CONFIG, { strict: false });
    refuseKeyOfThisProcess(this.config);
  }

  get hasRefused(): boolean {
    return this.refused > 0;
  }

  get summary(): string {
    const verb = this.options.dryRun === true ? 'would be imported' : 'imported';
    return `${String(this.imported)} ${verb}, ${String(this.alreadyThere)} already there, ${String(this.refused)} refused`;
  }

  async take(text: string): Promise<void> {
    this.lines += 1;
    if (text.trim() === '') return;
    const read = parsedLine(text);
    if (typeof read === 'string') {
      this.refused += 1;
      this.tell(read);
    } else if (await this.isThere(read.bot_id, read.owner_id)) {
      this.alreadyThere += 1;
    } else {
      this.imported += 1;
      this.botsSeen.add(read.bot_id);
      if (this.options.dryRun !== true) await this.store.connect(connectionOf(read, this.config));
    }
  }

  private async isThere(botId: string, ownerId: string): Promise<boolean> {
    const [known] = await this.directory.page({ botId, limit: 1 });
    if (known === undefined) return this.botsSeen.has(botId);
    const owners = await this.directory.ownersOf(known.id);
    if (!owners.includes(ownerId)) {
      this.tell('the grant is there already, and this owner is not linked to it: let them connect once');
    }
    return true;
  }

  private tell(what: string): void {
    this.print.line(`line ${String(this.lines)}: ${what}`);
  }
}

/** Without keys the module makes one for the time of the process: what it seals nobody could open afterwards. */
function refuseKeyOfThisProcess({ encryptionKeys }: NotionAuthConfig): void {
  if (encryptionKeys[0].id.startsWith(EPHEMERAL_KEY_PREFIX)) {
    throw new NotionConfigError([
      'encryptionKeys (NOTION_AUTH_ENCRYPTION_KEYS): are required to import tokens, and must be those of the application',
    ]);
  }
}
