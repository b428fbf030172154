/** Documents of the protocol other than tensors, in JSON's form. Fields keep the protocol's names. */
import type { Datatype } from './datatype.js';

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** −1 where a dimension varies. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly properties?: Readonly<Record<string, string>>;
}

export interface StatisticDuration {
  readonly count: number;
  /** Nanoseconds, all together. */
  readonly ns: number;
}

export interface InferBatchStatistics {
  readonly batch_size: number;
  readonly compute_input: StatisticDuration;
  readonly compute_infer: StatisticDuration;
  readonly compute_output: StatisticDuration;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0 where there was none. */
  readonly last_inference: number;
  /** Pictures. */
  readonly inference_count: number;
  /** Batches. */
  readonly execution_count: number;
  readonly inference_stats: Readonly<
    Record<
      'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss',
      StatisticDuration
    >
  >;
  readonly batch_stats: readonly InferBatchStatistics[];
}

export type ModelState = 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';

export interface ModelIndex {
  readonly name: string;
  readonly version: string;
  readonly state: ModelState;
  /** Why it is unavailable; otherwise empty. */
  readonly reason: string;
}

/** The body of every answer that is no success. */
export interface ErrorBody {
  readonly error: string;
  /** One of docs/errors.md. */
  readonly code: string;
}
