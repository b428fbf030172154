/** Pictures on their way to a network: how many at a time, and what becomes of them when one of a request fails. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '#lib/serve/clock.js';
import { Decoder } from '#lib/serve/models/decoding.js';
import { together } from '#lib/serve/models/together.js';
import { served } from './requests.js';
import { picture, start, until } from './servers.js';

describe('a decoder', () => {
  it('holds no more pictures in full size than it decodes at a time', async () => {
    const decoder = new Decoder({ picture_pixels: 1000, decoders: 2, decode_queue: 10 });
    const bytes = await picture(1);
    let held = 0;
    let most = 0;
    const use = async () => {
      most = Math.max(most, ++held);
      await new Promise((resolve) => setTimeout(resolve, 20));
      held--;
    };
    await Promise.all(Array.from({ length: 6 }, () => decoder.decode('a', bytes, use)));
    assert.deepEqual([most, held, decoder.pending], [2, 0, 0]);
  });
});

describe('a request of several batches', () => {
  const form = async (count: number) => {
    const bytes = new Uint8Array(await picture(1));
    const form = new FormData();
    for (let i = 0; i < count; i++) form.append(`f${i}`, new Blob([bytes]), 'a.png');
    return form;
  };

  it('is given up as a whole with the first batch that fails', async () => {
    const dynamic_batching = { default_queue_policy: { max_queue_size: 2 } };
    const running = await start({ model_defaults: { max_batch_size: 1, dynamic_batching } });
    const answer = await fetch(`${running.url}/classify`, { method: 'POST', body: await form(20) });
    assert.equal(answer.status, 503);
    await until(() => served(running).active === 0);
    const { execution_count } = served(running).statistics();
    assert.ok(execution_count <= 1, `${execution_count} of 20`);
  });

  it('took as long as from the first to the last of them', async () => {
    const running = await start({ model_defaults: { max_batch_size: 1 } });
    const answer = await fetch(`${running.url}/classify`, { method: 'POST', body: await form(8) });
    assert.equal(answer.status, 200);
    const { timings } = (await answer.json()) as { timings: Record<'compute_ms', number> };
    const { batch_stats, inference_stats } = served(running).statistics();
    const computed = batch_stats.reduce((sum, { compute_infer }) => sum + compute_infer.ns, 0);
    assert.ok(timings.compute_ms * 1e6 >= computed, `${timings.compute_ms} ms, ${computed} ns`);
    assert.ok(inference_stats.compute_infer.ns >= computed);
  });
});

describe('parts of one request', () => {
  it('end with the first that fails, and with the request', async () => {
    const waits = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const first = new Error('first');
    const fails = together(undefined, [waits, () => Promise.reject(first), () => Promise.reject(new Error('second'))]);
    await assert.rejects(fails, first);
    const request = new AbortController();
    const aborted = together(request.signal, [waits, waits]);
    request.abort(first);
    await assert.rejects(aborted, first);
    assert.deepEqual(await together(undefined, [async () => 1, async () => 2]), [1, 2]);
  });
});

describe('the clock', () => {
  it('calls after weeks at the earliest where it is told to call after years', async () => {
    let called = 0;
    const cancel = systemClock.after(2 ** 40, () => called++);
    await new Promise((resolve) => setTimeout(resolve, 50));
    cancel();
    assert.equal(called, 0);
  });
});
