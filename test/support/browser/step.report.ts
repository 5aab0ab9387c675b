/** Runs steps one after the other and says how each went; after one that failed the rest would mean nothing. */
export class StepReport {
  private passed = 0;
  private failed = 0;

  constructor(private readonly onFailure: () => Promise<void>) {}

  async step(name: string, run: () => Promise<unknown>): Promise<void> {
    if (this.failed > 0) return;
    const begunAt = performance.now();
    try {
      const remark = await run();
      this.passed += 1;
      const suffix = typeof remark === 'string' ? ` (${remark})` : '';
      console.log(`ok    ${name}${suffix}, ${Math.round(performance.now() - begunAt)} ms`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}`);
      await this.onFailure();
    }
  }

  /** The last line, and the exit code that goes with it. */
  finish(): number {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 ? 0 : 1;
  }
}
