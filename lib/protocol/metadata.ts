/** Documents of the protocol other than tensors, in JSON's form. Fields keep the protocol's names. */
import type { Datatype } from './datatype.js';

/** What a server says of itself. */
export interface ServerMetadata {
  /** Of the server's software. */
  readonly name: string;
  /** Of the server's software. */
  readonly version: string;
  /** Extensions of the protocol that it has. */
  readonly extensions: readonly string[];
}

/** An input or output of a model. */
export interface TensorMetadata {
  /** Of the tensor. */
  readonly name: string;
  /** Of its elements. */
  readonly datatype: Datatype;
  /** −1 where a dimension varies. */
  readonly shape: readonly number[];
}

/** What a server says of a model. */
export interface ModelMetadata {
  /** Of the model. */
  readonly name: string;
  /** Those that can be asked. */
  readonly versions: readonly string[];
  /** What runs it. */
  readonly platform: string;
  /** In order. */
  readonly inputs: readonly TensorMetadata[];
  /** In order. */
  readonly outputs: readonly TensorMetadata[];
  /** Whatever else the server says. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** How often, and how long. */
export interface StatisticDuration {
  /** How often. */
  readonly count: number;
  /** Nanoseconds, all together. */
  readonly ns: number;
}

/** Batches of one size. */
export interface InferBatchStatistics {
  /** Pictures. */
  readonly batch_size: number;
  /** Bringing inputs together. */
  readonly compute_input: StatisticDuration;
  /** Running the network. */
  readonly compute_infer: StatisticDuration;
  /** Taking outputs apart. */
  readonly compute_output: StatisticDuration;
}

/** What a server has counted of a model. */
export interface ModelStatistics {
  /** Of the model. */
  readonly name: string;
  /** Of the model. */
  readonly version: string;
  /** Milliseconds since 1970; 0 where there was none. */
  readonly last_inference: number;
  /** Pictures computed. */
  readonly inference_count: number;
  /** Batches computed. */
  readonly execution_count: number;
  /** Requests and their times, by how they went and by what the time was spent on. */
  readonly inference_stats: Readonly<
    Record<
      'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss',
      StatisticDuration
    >
  >;
  /** By size of batch. */
  readonly batch_stats: readonly InferBatchStatistics[];
}

/** Whether a model can be asked. */
export type ModelState = 'READY' | 'LOADING' | 'UNLOADING' | 'UNAVAILABLE';

/** A model in a server's repository. */
export interface ModelIndex {
  /** Of the model. */
  readonly name: string;
  /** Of the model. */
  readonly version: string;
  /** Whether it can be asked. */
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
