/** Batches on executors: requests' pictures side by side in one run, and each request's part of the outputs. */
import type { Executor } from '../../executor.js';
import type { Tensor } from '../../tensor.js';
import type { Pictures } from './inputs.js';

/** By output, in the network's order. */
export type Values = readonly Float32Array[];

export interface RunBatchOptions {
  /** Of the outputs. */
  readonly names: readonly string[];
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** Runs `items` together. All are of one kind. Each gets views of the run's outputs, in the order of `names`. */
export async function runBatch(
  executor: Executor,
  items: readonly Pictures[],
  { names, threads, signal }: RunBatchOptions,
): Promise<Values[]> {
  const total = items.reduce((sum, { count }) => sum + count, 0);
  const inputs = items.map(({ data }) => data);
  const outputs = await executor.runAll(inputs, { signal }, threads);
  let from = 0;
  return items.map(({ count }) => {
    const begin = from;
    from += count;
    return names.map((name) => {
      const { data } = outputs[name] as Tensor<'float32'>;
      const size = data.length / total;
      return data.subarray(begin * size, from * size);
    });
  });
}
