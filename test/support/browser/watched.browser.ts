import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';

const LOOPBACK = new Set(['localhost', '127.0.0.1']);

/** Chromium, with an eye on what its pages complain of and whom they ask. */
export class WatchedBrowser {
  /** Console errors (violations of a content security policy among them) and uncaught exceptions. */
  readonly complaints: string[] = [];
  /** Requests for anything that is not on this machine. */
  readonly foreignRequests: string[] = [];

  private constructor(private readonly browser: Browser) {}

  static async open(): Promise<WatchedBrowser> {
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--no-proxy-server',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return new WatchedBrowser(browser);
  }

  /** A person's browser: cookies of its own. */
  async person(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.context(options);
    context.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol !== 'data:' && !LOOPBACK.has(hostname)) this.foreignRequests.push(request.url());
    });
    context.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    context.on('weberror', (error) => this.complaints.push(String(error.error())));
    return context;
  }

  /** For a tool whose script looks at the pages: it passes their policies, so what is complained of is not theirs. */
  examiner(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    return this.context({ ...options, bypassCSP: true });
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  private async context(options: BrowserContextOptions): Promise<BrowserContext> {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    context.setDefaultTimeout(15_000);
    return context;
  }
}
