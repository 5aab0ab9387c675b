import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ActionResult } from './action.js';

/** Each browser's latest result, kept until its next one. */
@Injectable()
export class LastResults {
  private readonly byOwner = new LRUCache<string, ActionResult>({ max: 500 });
  private count = 0;

  keep(ownerId: string, result: Omit<ActionResult, 'number'>): void {
    this.count += 1;
    this.byOwner.set(ownerId, { ...result, number: this.count });
  }

  of(ownerId: string): ActionResult | null {
    return this.byOwner.get(ownerId) ?? null;
  }
}
