/** The queue in front of a model: what waits, in which order it is served, and when a batch is worth sending. No timers, no threads. */
import { checkInteger } from '../../check.js';
import { BitpathError } from '../../errors.js';
import type { BatchingPolicy, QueuePolicy, Schedule } from './policy.js';

/** A request that waits. */
export interface Waiting<T> {
  readonly item: T;
  /** Pictures. */
  readonly size: number;
  /** Only requests of one kind are computed together. */
  readonly kind: string;
  /** Milliseconds, when it came. */
  readonly since: number;
  /** When its timeout is over; infinite where it has none. */
  readonly expires: number;
}

interface Level<T> {
  readonly policy: QueuePolicy;
  readonly waiting: Waiting<T>[];
  /** Timed out under `DELAY`: served when nobody else waits at this level. */
  readonly delayed: Waiting<T>[];
}

/** What is to be done now. */
export interface Decision<T> {
  /** To be computed together; empty where nothing is worth sending yet. */
  readonly batch: readonly Waiting<T>[];
  /** When to ask again although nothing has happened: milliseconds, infinite for never. */
  readonly wake: number;
}

export class BatchQueue<T> {
  readonly #policy: BatchingPolicy;
  readonly #levels: readonly Level<T>[];

  constructor(policy: BatchingPolicy) {
    this.#policy = policy;
    this.#levels = Array.from({ length: Math.max(1, policy.priority_levels) }, (_, i) => ({
      policy: policy.priority_queue_policy[i + 1] ?? policy.default_queue_policy,
      waiting: [],
      delayed: [],
    }));
  }

  /** Requests that wait. */
  get length(): number {
    return this.#levels.reduce((sum, { waiting, delayed }) => sum + waiting.length + delayed.length, 0);
  }

  /**
   * @throws `ERR_BITPATH_QUEUE_FULL` where the level's queue has no place left, `ERR_BITPATH_ARGUMENT` for a request that no batch has
   *   room for.
   */
  add(item: T, size: number, kind: string, { priority, timeout }: Schedule, now: number): Waiting<T> {
    // It would never be sent, and nothing behind it.
    checkInteger('size', size, 1, this.#policy.max_batch_size);
    const level = this.#level(priority);
    const { max_queue_size, default_timeout_microseconds, allow_timeout_override } = level.policy;
    const length = level.waiting.length + level.delayed.length;
    if (max_queue_size > 0 && length >= max_queue_size)
      throw new BitpathError('ERR_BITPATH_QUEUE_FULL', { length: max_queue_size });

    const longest = default_timeout_microseconds || Number.POSITIVE_INFINITY;
    const own = allow_timeout_override && timeout > 0 ? timeout : Number.POSITIVE_INFINITY;
    const waiting = { item, size, kind, since: now, expires: now + Math.min(longest, own) / 1000 };
    level.waiting.push(waiting);
    return waiting;
  }

  /** Takes a request out that nobody wants answered any more. */
  remove(request: Waiting<T>): void {
    for (const { waiting, delayed } of this.#levels) {
      for (const list of [waiting, delayed]) {
        const at = list.indexOf(request);
        if (at !== -1) list.splice(at, 1);
      }
    }
  }

  /** Takes out the requests whose timeout is over and whose policy rejects them; others move behind all that have time left. */
  expire(now: number): readonly Waiting<T>[] {
    const rejected: Waiting<T>[] = [];
    for (const { policy, waiting, delayed } of this.#levels) {
      for (let i = 0; i < waiting.length; ) {
        const request = waiting[i] as Waiting<T>;
        if (request.expires > now) i++;
        else {
          waiting.splice(i, 1);
          (policy.timeout_action === 'REJECT' ? rejected : delayed).push(request);
        }
      }
    }
    return rejected;
  }

  /** When the next timeout is over; infinite for never. */
  nextExpiry(now: number): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { waiting } of this.#levels)
      for (const { expires } of waiting) if (expires > now) first = Math.min(first, expires);
    return first;
  }

  /** The next batch, taken out of the queue, for an instance that is free. Call {@link expire} first. */
  take(now: number): Decision<T> {
    const order = this.#levels.flatMap(({ waiting, delayed }) => [...waiting, ...delayed]);
    const wake = this.nextExpiry(now);
    const [oldest] = order;
    if (oldest === undefined) return { batch: [], wake };

    const { candidates, isFull } = this.#candidates(order, oldest.kind);
    const preferred = this.#preferred(candidates);
    const since = candidates.reduce((first, request) => Math.min(first, request.since), now);
    const ready = since + this.#policy.max_queue_delay_microseconds / 1000;
    if (preferred === 0 && !isFull && ready > now) return { batch: [], wake: Math.min(wake, ready) };

    const batch = preferred === 0 ? candidates : candidates.slice(0, preferred);
    for (const request of batch) this.remove(request);
    return { batch, wake };
  }

  /** Takes out everything. */
  clear(): readonly Waiting<T>[] {
    return this.#levels.flatMap(({ waiting, delayed }) => [...waiting.splice(0), ...delayed.splice(0)]);
  }

  /** Requests that could be computed together, in the order of service, and whether no more of those that wait would fit. */
  #candidates(order: readonly Waiting<T>[], kind: string): { candidates: Waiting<T>[]; isFull: boolean } {
    const { max_batch_size, preserve_ordering } = this.#policy;
    const candidates: Waiting<T>[] = [];
    let size = 0;
    for (const request of order) {
      if (request.kind !== kind) {
        if (preserve_ordering) return { candidates, isFull: true };
        continue;
      }
      // A later, smaller request does not overtake one that does not fit.
      if (size + request.size > max_batch_size) return { candidates, isFull: true };
      candidates.push(request);
      size += request.size;
    }
    return { candidates, isFull: size >= max_batch_size };
  }

  /** How many of `candidates` make the largest preferred batch; 0 where none does. */
  #preferred(candidates: readonly Waiting<T>[]): number {
    let size = 0;
    let best = 0;
    for (const [i, request] of candidates.entries()) {
      size += request.size;
      if (this.#policy.preferred_batch_size.includes(size)) best = i + 1;
    }
    return best;
  }

  /** Levels that do not exist mean the default one, as in Triton. */
  #level(priority: number): Level<T> {
    const { default_priority_level } = this.#policy;
    const level = priority >= 1 && priority <= this.#levels.length ? priority : Math.max(1, default_priority_level);
    return this.#levels[level - 1] as Level<T>;
  }
}
