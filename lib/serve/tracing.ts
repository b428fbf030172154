/** OpenTelemetry traces, where the process that serves has set them up: without a provider, nothing is recorded. */
import type { IncomingHttpHeaders } from 'node:http';
import type * as Api from '@opentelemetry/api';
import { packageVersion } from '../root.js';
import type { Spans } from './spans.js';

export interface Tracer {
  /** A span for a request, child of the trace that `headers` continue; undefined where nothing is traced. */
  start(name: string, attributes: Readonly<Record<string, string>>, headers: IncomingHttpHeaders): Spans | undefined;
}

export const NO_TRACER: Tracer = { start: () => undefined };

/** Records spans through the API package, if it is installed and a provider is registered. */
export async function makeTracer(now: () => number): Promise<Tracer> {
  const api = await import('@opentelemetry/api').catch(() => null);
  if (api === null) return NO_TRACER;
  const { trace, context, propagation } = api;
  return {
    start: (name, attributes, headers) => {
      const tracer = trace.getTracer('bitpath', packageVersion());
      const parent = propagation.extract(context.active(), headers);
      const span = tracer.startSpan(name, { attributes: { ...attributes } }, parent);
      if (!span.isRecording()) return undefined;
      return new RequestSpans(api, tracer, span, trace.setSpan(parent, span), now);
    },
  };
}

class RequestSpans implements Spans {
  readonly #api: typeof Api;
  readonly #tracer: Api.Tracer;
  readonly #span: Api.Span;
  readonly #context: Api.Context;
  readonly #now: () => number;

  constructor(api: typeof Api, tracer: Api.Tracer, span: Api.Span, context: Api.Context, now: () => number) {
    this.#api = api;
    this.#tracer = tracer;
    this.#span = span;
    this.#context = context;
    this.#now = now;
  }

  async around<T>(name: string, call: () => Promise<T>): Promise<T> {
    const span = this.#tracer.startSpan(name, {}, this.#context);
    try {
      return await call();
    } finally {
      span.end();
    }
  }

  past(name: string, began: number, ended: number, attributes: Readonly<Record<string, string | number>> = {}): void {
    // Spans are dated by the calendar; the server's clock only measures.
    const offset = Date.now() - this.#now();
    const span = this.#tracer.startSpan(
      name,
      { startTime: began + offset, attributes: { ...attributes } },
      this.#context,
    );
    span.end(ended + offset);
  }

  end(error?: unknown): void {
    if (error !== undefined) this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: String(error) });
    this.#span.end();
  }
}
