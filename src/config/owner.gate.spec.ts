import { describe, expect, it } from '@jest/globals';
import { NotionOwnerInvalidError, NotionOwnerRequiredError } from '../domain/errors.js';
import { OwnerGate } from './owner.gate.js';

describe('OwnerGate', () => {
  const gateAnswering = (owner: unknown) => new OwnerGate({ resolveOwner: () => owner as string });

  it('hands on the owner that the application names, resolved or promised', async () => {
    await expect(gateAnswering('tenant-1').ownerOf({})).resolves.toBe('tenant-1');
    await expect(gateAnswering(Promise.resolve('tenant-2')).ownerOf({})).resolves.toBe('tenant-2');
  });

  it.each([[''], ['  '], [null], [undefined]])('F4: takes %p for no owner', async (owner) => {
    await expect(gateAnswering(owner).ownerOf({})).rejects.toThrow(NotionOwnerRequiredError);
  });

  it.each([
    [0, 'a number'],
    [7, 'a number'],
    [7n, 'a bigint'],
    [true, 'a boolean'],
    [Symbol('tenant-1'), 'a symbol'],
    [{}, 'an object'],
    [new String('tenant-1'), 'an object'],
    [['tenant-1'], 'an array'],
    [() => 'tenant-1', 'a function'],
  ])('F4: names resolveOwner and the type of %p', async (owner, type) => {
    const failure = gateAnswering(owner).ownerOf({});
    await expect(failure).rejects.toThrow(NotionOwnerInvalidError);
    await expect(failure).rejects.toThrow(
      `resolveOwner returned ${type}. Return a string, such as String(user.id), or null when no user is signed in.`,
    );
  });

  it('refuses everybody while no resolver is configured', async () => {
    await expect(new OwnerGate({}).ownerOf({})).rejects.toThrow(NotionOwnerRequiredError);
  });

  it('passes on what the resolver throws', async () => {
    const gate = new OwnerGate({ resolveOwner: () => Promise.reject(new Error('session store down')) });
    await expect(gate.ownerOf({})).rejects.toThrow('session store down');
  });
});
