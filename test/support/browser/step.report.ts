/** Says how each step went, and ends with a line that counts them. */
export class StepReport {
  private passed = 0;
  private failed = 0;

  /** @throws what `run` throws, once it is reported: the steps after a failed one would mean nothing. */
  async step(name: string, run: () => Promise<unknown>): Promise<void> {
    const begunAt = performance.now();
    try {
      const remark = await run();
      this.passed += 1;
      const suffix = typeof remark === 'string' ? ` (${remark})` : '';
      console.log(`ok    ${name}${suffix}, ${Math.round(performance.now() - begunAt)} ms`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  /** Tells the whole story; answers the exit code. */
  async tell(story: () => Promise<void>): Promise<number> {
    try {
      await story();
    } catch (error) {
      if (this.failed === 0) {
        this.failed = 1;
        console.log('FAIL  before the first step:', error);
      }
    }
    console.log(`${this.passed} passed, ${this.failed} failed, 0 skipped`);
    return this.failed === 0 ? 0 : 1;
  }
}
