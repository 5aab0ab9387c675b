/** A rate that all processes share, kept in the database. */
export abstract class RateBudget {
  /**
   * Books `count` turns at `perSecond` and says in how many milliseconds (0: now) the first of them comes; the others
   * follow at even distances. What is booked is spent, used or not.
   */
  abstract reserve(count: number, perSecond: number): Promise<number>;
}
