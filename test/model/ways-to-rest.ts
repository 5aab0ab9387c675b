/** Whether everything can come to rest without another fault or wish: no state is a trap, no loop without an exit. */
export class WaysToRest {
  private readonly from: number[] = [];
  private readonly to: number[] = [];
  private readonly rests: number[] = [];

  add(from: number, to: number): void {
    this.from.push(from);
    this.to.push(to);
  }

  endAt(index: number): void {
    this.rests.push(index);
  }

  /** The first of `count` states from which rest cannot be reached, by walking every way backwards. */
  firstWithoutRest(count: number): number | null {
    const lastInto = new Int32Array(count).fill(-1);
    const previous = new Int32Array(this.to.length);
    this.to.forEach((target, way) => {
      previous[way] = lastInto[target]!;
      lastInto[target] = way;
    });
    const reaches = new Uint8Array(count);
    const open = [...this.rests];
    for (const index of open) reaches[index] = 1;
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      for (let way = lastInto[index]!; way !== -1; way = previous[way]!) {
        const source = this.from[way]!;
        if (reaches[source] === 1) continue;
        reaches[source] = 1;
        open.push(source);
      }
    }
    const stuck = reaches.indexOf(0);
    return stuck === -1 ? null : stuck;
  }
}
