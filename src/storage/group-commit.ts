/** Groups stay far below what any engine takes in one statement. */
const LARGEST_GROUP = 64;

/** A group that waits for somebody else's lock does not hold up those that come after it for longer than this. */
const LONGEST_TURN_MS = 100;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Shares transactions among callers: while one is under way the next ones gather, and go together. What a caller gets
 * is what it would get alone.
 */
export class GroupCommit<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private isUnderWay = false;

  constructor(
    private readonly alone: (item: Item) => Promise<Result>,
    /** Answers those it could do; the others, and all of them after a failure, are done alone. */
    private readonly together: (items: readonly Item[]) => Promise<ReadonlyMap<Item, Result>>,
  ) {}

  run(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.next();
    });
  }

  private next(): void {
    if (this.isUnderWay || this.waiting.length === 0) return;
    this.isUnderWay = true;
    // Answers come in bursts: whoever is next in this one goes along, instead of waiting for a turn of the first alone.
    if (this.waiting.length === 1)
      setImmediate(() => {
        this.begin();
      });
    else this.begin();
  }

  private begin(): void {
    void this.turn(this.waiting.splice(0, LARGEST_GROUP)).then(() => {
      this.isUnderWay = false;
      this.next();
    });
  }

  private async turn(group: readonly Waiting<Item, Result>[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const longest = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_TURN_MS);
    });
    const done = group.length === 1 ? this.singly(group) : this.jointly(group);
    await Promise.race([done, longest]);
    clearTimeout(timer);
  }

  private async jointly(group: readonly Waiting<Item, Result>[]): Promise<void> {
    const results = await this.together(group.map(({ item }) => item)).catch(() => new Map<Item, Result>());
    const left = group.filter(({ item, resolve }) => {
      const result = results.get(item);
      if (result !== undefined) resolve(result);
      return result === undefined;
    });
    // Not awaited: whoever is left may be waiting for a lock.
    void this.singly(left);
  }

  private async singly(group: readonly Waiting<Item, Result>[]): Promise<void> {
    await Promise.all(group.map(({ item, resolve, reject }) => this.alone(item).then(resolve, reject)));
  }
}
