export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly text: string;
}

/** What the doctor found, in the order of looking. */
export class Findings {
  readonly all: Finding[] = [];

  get hasFailed(): boolean {
    return this.all.some(({ verdict }) => verdict === 'fail');
  }

  ok(check: string, text: string): void {
    this.all.push({ check, verdict: 'ok', text });
  }

  warn(check: string, text: string): void {
    this.all.push({ check, verdict: 'warn', text });
  }

  fail(check: string, text: string): void {
    this.all.push({ check, verdict: 'fail', text });
  }
}
