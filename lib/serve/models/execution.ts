/** Batches on executors: requests' pictures side by side in one run, and each request's part of the outputs. */
import type { Executor } from '../../executor.js';
import type { Pictures } from './inputs.js';

/** By output, in the network's order. */
export type Values = readonly Float32Array[];

/** Runs `items` together. All are of one kind. Each gets views of the run's outputs. */
export async function runBatch(executor: Executor, items: readonly Pictures[], signal: AbortSignal): Promise<Values[]> {
  const total = items.reduce((sum, { count }) => sum + count, 0);
  const outputs = Object.values(await executor.run(joined(items), { signal }));
  let from = 0;
  return items.map(({ count }) => {
    const begin = from;
    from += count;
    return outputs.map(({ data }) => {
      const size = data.length / total;
      return data.subarray(begin * size, from * size);
    });
  });
}

/** The pictures of all items; those of one item are not copied. */
function joined(items: readonly Pictures[]): Float32Array | Uint8Array {
  const [first] = items as readonly [Pictures, ...Pictures[]];
  if (items.length === 1) return first.data;
  const length = items.reduce((sum, { data }) => sum + data.byteLength, 0);
  // Every byte is written, so none need be zero before.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let at = 0;
  for (const { data } of items) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return first.kind === 'FP32' ? new Float32Array(bytes.buffer) : bytes;
}
