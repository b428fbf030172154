/** Traces: recorded where the process has a provider, children of the caller's. */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { type Context, type Span, trace, type Tracer } from '@opentelemetry/api';
import { postJson } from './client.js';
import { picture, start } from './servers.js';

interface Recorded {
  readonly name: string;
  readonly parent: string | undefined;
  readonly began: number;
  ended: number;
  status: unknown;
}

it('requests are spans with their parts in them', async () => {
  const spans: Recorded[] = [];
  // As small as a provider can be: the API is what is tested, not an exporter.
  const tracer: Tracer = {
    startSpan: (name, options, context?: Context) => {
      const parent =
        context === undefined ? undefined : (trace.getSpan(context) as (Span & { title?: string }) | undefined)?.title;
      const recorded: Recorded = {
        name,
        parent,
        began: Number(options?.startTime ?? Date.now()),
        ended: 0,
        status: undefined,
      };
      spans.push(recorded);
      const span = {
        title: name,
        isRecording: () => true,
        setStatus: (status: unknown) => {
          recorded.status = status;
          return span;
        },
        end: (time?: number) => {
          recorded.ended = time ?? Date.now();
        },
      };
      return span as unknown as Span;
    },
    startActiveSpan: () => {
      throw new Error('not used');
    },
  };
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  after(() => trace.disable());

  const { url } = await start();
  assert.equal((await postJson(`${url}/classify`, new Uint8Array(await picture(1)))).status, 200);
  assert.deepEqual(
    spans.map(({ name, parent }) => [name, parent]),
    [
      ['classify', undefined],
      ['decode', 'classify'],
      ['queue', 'classify'],
      ['compute', 'classify'],
    ],
  );
  for (const { began, ended } of spans) assert.ok(ended >= began - 1);
  assert.ok(spans.every(({ status }) => status === undefined));

  await postJson(`${url}/classify`, 'no picture');
  assert.deepEqual(
    spans.slice(4).map(({ name, status }) => [name, (status as { code?: number } | undefined)?.code]),
    [
      ['classify', 2],
      ['decode', undefined],
    ],
  );
});
