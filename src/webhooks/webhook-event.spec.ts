import { parseWebhookMessage } from './webhook-event.js';

const EVENT = {
  id: '367cba44-b6f3-4c92-81e7-6a2e9659efd4',
  type: 'page.content_updated',
  workspace_id: '13950b26-c203-4f3b-b97d-93ec06319565',
  timestamp: '2026-11-26T10:20:30.123+02:00',
  attempt_number: 3,
  entity: { id: 'page-1', type: 'page' },
  accessible_by: [
    { id: 'bot-1', type: 'bot' },
    { id: 'person-1', type: 'person' },
    { id: 'bot-1', type: 'bot' },
    { id: 'bot-2', type: 'bot' },
  ],
  data: { updated_blocks: [] },
};

function parse(difference: object) {
  return parseWebhookMessage(Buffer.from(JSON.stringify({ ...EVENT, ...difference })));
}

function eventOf(difference: object) {
  const message = parse(difference);
  return message?.kind === 'event' ? message.event : null;
}

describe('the body of a webhook', () => {
  it('is an event with all that Notion says, each bot once and no person', () => {
    expect(parse({})).toEqual({
      kind: 'event',
      event: {
        id: EVENT.id,
        type: 'page.content_updated',
        workspaceId: EVENT.workspace_id,
        happenedAt: new Date('2026-11-26T08:20:30.123Z'),
        attempt: 3,
        entity: { id: 'page-1', type: 'page' },
        botIds: ['bot-1', 'bot-2'],
        data: { updated_blocks: [] },
      },
    });
  });

  it.each<[string, object, object]>([
    ['a timestamp', { timestamp: undefined }, { happenedAt: null }],
    ['a timestamp that is one', { timestamp: 'yesterday' }, { happenedAt: null }],
    ['an attempt', { attempt_number: null }, { attempt: null }],
    ['an attempt that counts', { attempt_number: 0 }, { attempt: null }],
    ['a whole attempt', { attempt_number: 1.5 }, { attempt: null }],
    ['an entity', { entity: null }, { entity: null }],
    ['an entity with an id', { entity: { type: 'page' } }, { entity: null }],
    ['an entity of a short type', { entity: { id: 'p', type: 'x'.repeat(101) } }, { entity: null }],
    ['an audience', { accessible_by: undefined }, { botIds: [] }],
    ['an audience that is a list', { accessible_by: { id: 'b', type: 'bot' } }, { botIds: [] }],
    [
      'an audience of things that are somebody',
      { accessible_by: [null, 7, { type: 'bot' }, { id: 'bot-3', type: 'bot' }] },
      { botIds: ['bot-3'] },
    ],
    [
      'an audience of fewer than ten thousand and one',
      { accessible_by: Array.from({ length: 10_001 }, (_, n) => ({ id: `b-${n}`, type: 'bot' })) },
      { botIds: [] },
    ],
    ['data', { data: undefined }, { data: undefined }],
  ])('is an event also without %s', (_, difference, expected) => {
    expect(eventOf(difference)).toMatchObject({ id: EVENT.id, ...expected });
  });

  it('keeps an audience of ten thousand, and what is as long as it may be', () => {
    const accessible = Array.from({ length: 10_000 }, (_, n) => ({ id: `b-${n}`, type: 'bot' }));
    expect(eventOf({ accessible_by: accessible })!.botIds).toHaveLength(10_000);
    expect(eventOf({ id: 'i'.repeat(64), type: 't'.repeat(100) })).not.toBeNull();
    expect(eventOf({ entity: { id: 'p', type: 'x'.repeat(100) } })!.entity!.type).toHaveLength(100);
  });

  it.each<[string, object]>([
    ['no id', { id: undefined }],
    ['an empty id', { id: '' }],
    ['an id of 65 characters', { id: 'i'.repeat(65) }],
    ['an id with something before it', { id: '/367cba44' }],
    ['an id with something behind it', { id: '367cba44\n' }],
    ['no type', { type: '' }],
    ['a type of 101 characters', { type: 't'.repeat(101) }],
    ['a type with a space before it', { type: ' page.created' }],
    ['a type with a line behind it', { type: 'page.created\nx' }],
    ['a number for a workspace', { workspace_id: 7 }],
  ])('is nothing with %s', (_, difference) => {
    expect(parse(difference)).toBeNull();
  });

  it('is a handshake with a verification token and nothing beside it', () => {
    const parsed = (body: unknown) => parseWebhookMessage(Buffer.from(JSON.stringify(body)));
    expect(parsed({ verification_token: 'secret_1' })).toEqual({ kind: 'handshake', token: 'secret_1' });
    expect(parsed({ verification_token: 'secret_1', more: 1 })).toBeNull();
    expect(parsed({ verification_token: 7 })).toBeNull();
    expect(parse({ verification_token: 'secret_1' })!.kind).toBe('event');
  });

  it('is nothing when it is no JSON, no UTF-8, or nested deeper than anything that Notion sends', () => {
    const nested = (depth: number) => ({
      data: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown,
    });
    expect(parseWebhookMessage(Buffer.from('{"id":'))).toBeNull();
    const latin1 = Buffer.from(JSON.stringify({ ...EVENT, data: 'é' }), 'latin1');
    expect(parseWebhookMessage(latin1)).toBeNull();
    expect([63, 64].map((depth) => parse(nested(depth)) === null)).toEqual([false, true]);
  });
});
