/** Closed set of spans, so that a trace of any version can be searched by them. */
export type SpanName = 'notion_auth.refresh' | 'notion_auth.call';

/** Facts of a span. Ids are fine here, unlike in metrics; tokens, addresses of pages and bodies are not. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** What is told of a span while it lasts. */
export interface SpanNotes {
  add(facts: SpanFacts): void;
  /** The work came to its end and was no success, without throwing. */
  fail(reason: string): void;
}

/** Where spans go: one for each refresh that is sent and one for each authorized call. */
export abstract class NotionTracing {
  /** Runs `work` within a span, which ends with it; what `work` throws is noted and thrown on. */
  abstract span<Result>(
    name: SpanName,
    facts: SpanFacts,
    work: (notes: SpanNotes) => Promise<Result>,
  ): Promise<Result>;
}

const NO_NOTES: SpanNotes = {
  add: () => undefined,
  fail: () => undefined,
};

/** For applications that trace nothing. */
export class NoTracing extends NotionTracing {
  override span<Result>(
    _name: SpanName,
    _facts: SpanFacts,
    work: (notes: SpanNotes) => Promise<Result>,
  ): Promise<Result> {
    return work(NO_NOTES);
  }
}
