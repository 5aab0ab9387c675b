import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NotionSimulator, type WebhookSubscription } from 'nestjs-notion-auth/testing';
import { WebhookApp } from '../support/webhook.app.js';

/** Every byte of a delivery, one after the other, where a few of them would do for the suite beside this one. */
describe('a delivery with one changed byte', () => {
  let simulator: NotionSimulator;
  let app: WebhookApp;
  let notion: WebhookSubscription;
  let body: Buffer;
  let signature: string;

  beforeAll(async () => {
    simulator = await NotionSimulator.start();
    notion = simulator.webhookTo('');
    const webhooks = { verificationTokens: [notion.verificationToken] };
    app = await WebhookApp.start({ simulator, options: { webhooks } });
    body = Buffer.from(JSON.stringify(notion.eventOf({})));
    ({ signature } = notion.sign(body));
  });

  afterAll(async () => {
    await app.close();
    await simulator.close();
  });

  async function statusOf(bytes: Buffer, header: string): Promise<number> {
    const headers = { 'content-type': 'application/json', 'x-notion-signature': header };
    const answer = await fetch(app.url, { method: 'POST', headers, body: new Uint8Array(bytes) });
    await answer.arrayBuffer();
    return answer.status;
  }

  it('H2: in its body is a 401 wherever it is still JSON, and never let in', async () => {
    let refused = 0;
    for (let index = 0; index < body.length; index += 1) {
      const changed = Buffer.from(body);
      changed[index]! ^= 1;
      const status = await statusOf(changed, signature);
      // A body that is no JSON does not reach a guard: the application's own parser answers it.
      expect(status).toBe(isJson(changed) ? 401 : 400);
      if (status === 401) refused += 1;
    }
    expect(refused).toBeGreaterThan(body.length / 2);
    expect(app.inbox.deliveries).toEqual([]);
  });

  it('H2: in its signature is a 401, and without a change it is let in', async () => {
    for (let index = 0; index < signature.length; index += 1) {
      const flipped = String.fromCharCode(signature.charCodeAt(index) ^ 1);
      const changed = signature.slice(0, index) + flipped + signature.slice(index + 1);
      expect([index, await statusOf(body, changed)]).toEqual([index, 401]);
    }
    expect(app.inbox.deliveries).toEqual([]);
    expect(await statusOf(body, signature)).toBe(200);
  });
});

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
