import { describe, expect, it } from '@jest/globals';
import { toResponse } from './fetch-response.js';
import type { HttpAnswer } from './http-answer.js';

describe('toResponse', () => {
  it('is a Response with what the wire brought', () => {
    const response = toResponse(answer('{}', { status: 404, statusText: 'Not Found' }));
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({ status: 404, ok: false, statusText: 'Not Found', redirected: false });
    expect(response.url).toBe('https://api.notion.com/v1/users/me');
    expect(response.headers.get('X-Notion-Request-Id')).toBe('r-1');
    expect([...response.headers]).toContainEqual(['content-type', 'application/json']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(toResponse(answer('{}')).ok).toBe(true);
  });

  it('reads the body in every way', async () => {
    const read = () => toResponse(answer('{"ü":1}'));
    await expect(read().json()).resolves.toEqual({ ü: 1 });
    await expect(read().text()).resolves.toBe('{"ü":1}');
    await expect(read().arrayBuffer()).resolves.toHaveProperty('byteLength', 8);
    const blob = await read().blob();
    expect([blob.type, await blob.text()]).toEqual(['application/json', '{"ü":1}']);
    await expect(streamed(read())).resolves.toBe('{"ü":1}');
    await expect(new Response(read().body).text()).resolves.toBe('{"ü":1}');
    await expect(toResponse(answer('<html>')).json()).rejects.toMatchObject({ name: 'SyntaxError' });
  });

  it('reads the body once', async () => {
    const response = toResponse(answer('{}'));
    expect(response.bodyUsed).toBe(false);
    await response.text();
    expect(response.bodyUsed).toBe(true);
    await expect(response.json()).rejects.toMatchObject({ name: 'TypeError' });
    await expect(response.arrayBuffer()).rejects.toMatchObject({ name: 'TypeError' });
    await expect(response.blob()).rejects.toMatchObject({ name: 'TypeError' });
    expect(() => response.clone()).toThrow(expect.objectContaining({ name: 'TypeError' }));
    expect(response.body).not.toBeNull();
  });

  it('lets the stream rule once it was asked for', async () => {
    const response = toResponse(answer('{}'));
    const reader = response.body!.getReader();
    expect(() => response.clone()).toThrow(expect.objectContaining({ name: 'TypeError' }));
    await expect(response.text()).rejects.toMatchObject({ name: 'TypeError' });
    reader.releaseLock();
    await expect(response.text()).resolves.toBe('{}');
    expect(response.bodyUsed).toBe(true);
  });

  it('gives a clone with a body of its own', async () => {
    const response = toResponse(answer('{}'));
    const clone = response.clone();
    await expect(response.text()).resolves.toBe('{}');
    expect(clone.bodyUsed).toBe(false);
    await expect(clone.text()).resolves.toBe('{}');
    expect(clone.headers.get('x-notion-request-id')).toBe('r-1');
  });

  it('has no body where the standard allows none', async () => {
    const response = toResponse(answer('', { status: 204 }));
    expect(response.body).toBeNull();
    await expect(response.text()).resolves.toBe('');
    await expect(response.text()).resolves.toBe('');
  });
});

function answer(body: string, head: Partial<HttpAnswer> = {}): HttpAnswer {
  return {
    url: 'https://api.notion.com/v1/users/me',
    status: 200,
    statusText: 'OK',
    headers: {
      'content-type': 'application/json',
      'x-notion-request-id': 'r-1',
      'set-cookie': ['a=1', 'b=2'],
    },
    body: Buffer.from(body),
    ...head,
  };
}

async function streamed(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) text += decoder.decode(chunk as Uint8Array, { stream: true });
  return text;
}
