import type { Provider } from '@nestjs/common';
import { SpanKind, SpanStatusCode, trace, type Attributes, type Span, type Tracer } from '@opentelemetry/api';
import { NotionTracing, type SpanFacts, type SpanName, type SpanNotes } from '../domain/notion-tracing.js';

/**
 * One span for each refresh that is sent and for each authorized call, in the trace of whoever asked, where the
 * application has started an OpenTelemetry SDK; without one nothing happens.
 */
export function openTelemetryTracing(): Provider {
  return {
    provide: NotionTracing,
    useFactory: () => new OpenTelemetryTracing(trace.getTracer('nestjs-notion-auth')),
  };
}

export class OpenTelemetryTracing extends NotionTracing {
  constructor(private readonly tracer: Tracer) {
    super();
  }

  override span<Result>(
    name: SpanName,
    facts: SpanFacts,
    work: (notes: SpanNotes) => Promise<Result>,
  ): Promise<Result> {
    const options = { kind: SpanKind.CLIENT, attributes: attributesOf(facts) };
    return this.tracer.startActiveSpan(name, options, async (span) => {
      try {
        return await work(notesOn(span));
      } catch (error) {
        // Not the error itself: a message or a stack may quote what no trace should hold.
        span.setStatus({
          code: SpanStatusCode.ERROR,
          message: error instanceof Error ? error.name : 'unknown',
        });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}

function notesOn(span: Span): SpanNotes {
  return {
    add: (facts) => {
      span.setAttributes(attributesOf(facts));
    },
    fail: (reason) => {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
    },
  };
}

function attributesOf(facts: SpanFacts): Attributes {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, fact]) =>
      fact === undefined ? [] : [[`notion_auth.${name}`, fact]],
    ),
  );
}
