/** A stretch of what one key seals. */
export interface ResealBatch {
  /** The key id whose envelopes are to be sealed anew. */
  readonly keyId: string;
  /** Only secrets that come after this one; `null` to begin. */
  readonly after: SealedPlace | null;
  readonly limit: number;
}

/** Where a sealed secret stands, in the order in which batches go. */
export interface SealedPlace {
  readonly table: string;
  readonly rowId: string;
}

export interface ResealedBatch {
  readonly resealed: number;
  /** What no key opens; it is left as it is. */
  readonly unreadable: number;
  /** The last one that was looked at; `null` when nothing is left behind it. */
  readonly last: SealedPlace | null;
}

/** Everything that is stored under an encryption key, for counting and for sealing it anew. */
export abstract class SealedSecrets {
  /** How many rows each key id seals, whether or not the key is configured. */
  abstract countByKey(): Promise<ReadonlyMap<string, number>>;

  /**
   * Seals a batch anew with the first key of the ring, in one short transaction, and passes over rows that somebody
   * else holds. What is sealed, and its version, stay the same; a row that changes meanwhile is left alone.
   */
  abstract reseal(batch: ResealBatch): Promise<ResealedBatch>;
}
