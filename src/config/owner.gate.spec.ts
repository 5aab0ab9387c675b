import { describe, expect, it } from '@jest/globals';
import { NotionOwnerRequiredError } from '../domain/errors.js';
import { OwnerGate } from './owner.gate.js';

describe('OwnerGate', () => {
  const gateAnswering = (owner: unknown) => new OwnerGate({ resolveOwner: () => owner as string });

  it('hands on the owner that the application names, resolved or promised', async () => {
    await expect(gateAnswering('tenant-1').ownerOf({})).resolves.toBe('tenant-1');
    await expect(gateAnswering(Promise.resolve('tenant-2')).ownerOf({})).resolves.toBe('tenant-2');
  });

  it.each([[{}], [[]], [['tenant-1']], [''], ['  '], [0], [1], [true], [null], [undefined]])(
    'F4: refuses %p as an owner',
    async (owner) => {
      await expect(gateAnswering(owner).ownerOf({})).rejects.toThrow(NotionOwnerRequiredError);
    },
  );

  it('refuses everybody while no resolver is configured', async () => {
    await expect(new OwnerGate({}).ownerOf({})).rejects.toThrow(NotionOwnerRequiredError);
  });

  it('passes on what the resolver throws', async () => {
    const gate = new OwnerGate({ resolveOwner: () => Promise.reject(new Error('session store down')) });
    await expect(gate.ownerOf({})).rejects.toThrow('session store down');
  });
});
