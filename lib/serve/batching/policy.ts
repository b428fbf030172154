/** What Triton's model configuration says of batching and queues, in its names and units. */

export interface QueuePolicy {
  /** What happens to a request that has waited for its timeout: an error, or a place behind all others. */
  readonly timeout_action: 'REJECT' | 'DELAY';
  /** Longest wait in the queue; 0: none. */
  readonly default_timeout_microseconds: number;
  /** Whether a request's own timeout counts where it is shorter than the default. */
  readonly allow_timeout_override: boolean;
  /** Requests that may wait; one more is refused at once. 0: no limit. */
  readonly max_queue_size: number;
}

export interface BatchingPolicy {
  /** Most pictures computed together. */
  readonly max_batch_size: number;
  /** Sizes that are sent as soon as they are reached. */
  readonly preferred_batch_size: readonly number[];
  /** How long the oldest request may wait for others to fill its batch, while an instance is free. */
  readonly max_queue_delay_microseconds: number;
  /** Answers leave in the order in which requests came. */
  readonly preserve_ordering: boolean;
  /** Levels 1 (served first) … n. 0: one level. */
  readonly priority_levels: number;
  /** Level of requests that name none. */
  readonly default_priority_level: number;
  readonly default_queue_policy: QueuePolicy;
  /** By level, where it differs from the default. */
  readonly priority_queue_policy: Readonly<Record<number, QueuePolicy>>;
}

/** What a request says of its own place in the queue. 0 means: as the policy says. */
export interface Schedule {
  /** 1 is served first. */
  readonly priority: number;
  /** Microseconds. */
  readonly timeout: number;
}
