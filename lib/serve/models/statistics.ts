/** What Triton's statistics extension counts, for one version of a model. Times come in milliseconds and leave in nanoseconds. */
import type { InferBatchStatistics, ModelStatistics, StatisticDuration } from '../../protocol/index.js';

/** One answered request. */
export interface Answered {
  /** Pictures in it. */
  readonly count: number;
  /** Of the whole way. */
  readonly total: number;
  readonly queue: number;
  /** Decoding, resizing. */
  readonly input: number;
  readonly infer: number;
  readonly output: number;
}

class Duration {
  #count = 0;
  #milliseconds = 0;

  add(milliseconds: number): void {
    this.#count++;
    this.#milliseconds += Math.max(0, milliseconds);
  }

  toJSON(): StatisticDuration {
    return { count: this.#count, ns: Math.round(this.#milliseconds * 1e6) };
  }
}

const KINDS = [
  'success',
  'fail',
  'queue',
  'compute_input',
  'compute_infer',
  'compute_output',
  'cache_hit',
  'cache_miss',
] as const;

export class Statistics {
  readonly #durations = Object.fromEntries(KINDS.map((kind) => [kind, new Duration()])) as Record<
    (typeof KINDS)[number],
    Duration
  >;
  readonly #batches = new Map<number, Duration>();
  #lastInference = 0;
  #inferences = 0;
  #executions = 0;

  /** A request was answered. `now` is milliseconds since 1970. */
  success({ count, total, queue, input, infer, output }: Answered, now: number): void {
    this.#durations.success.add(total);
    this.#durations.queue.add(queue);
    this.#durations.compute_input.add(input);
    this.#durations.compute_infer.add(infer);
    this.#durations.compute_output.add(output);
    this.#inferences += count;
    this.#lastInference = now;
  }

  fail(total: number): void {
    this.#durations.fail.add(total);
  }

  /** A batch of `size` pictures was computed. */
  execution(size: number, milliseconds: number): void {
    this.#executions++;
    const infer = this.#batches.get(size) ?? new Duration();
    this.#batches.set(size, infer);
    infer.add(milliseconds);
  }

  snapshot(name: string, version: string): ModelStatistics {
    const durations = Object.entries(this.#durations).map(([kind, duration]) => [kind, duration.toJSON()] as const);
    const sizes = [...this.#batches].sort(([a], [b]) => a - b);
    return {
      name,
      version,
      last_inference: this.#lastInference,
      inference_count: this.#inferences,
      execution_count: this.#executions,
      inference_stats: Object.fromEntries(durations) as unknown as ModelStatistics['inference_stats'],
      batch_stats: sizes.map(([batch_size, infer]): InferBatchStatistics => {
        const compute_infer = infer.toJSON();
        // Input and output are work on a request, not on a batch.
        const none = { count: compute_infer.count, ns: 0 };
        return { batch_size, compute_input: none, compute_infer, compute_output: none };
      }),
    };
  }
}
