/** Dynamic batching: requests wait in a queue, instances compute them in batches, and each request gets its own part back. */
import { BitpathError } from '../../errors.js';
import type { Clock } from '../clock.js';
import type { BatchingPolicy, Schedule } from './policy.js';
import { BatchQueue, type Waiting } from './queue.js';

/** Computes a batch: one result for each item, in their order. The signal aborts once nobody waits for any of them. */
export type Compute<T, R> = (items: readonly T[], instance: number, signal: AbortSignal) => Promise<readonly R[]>;

/** A result, and when its way through the batcher began and ended. Milliseconds of the clock. */
export interface Batched<R> {
  readonly result: R;
  readonly queued: number;
  readonly started: number;
  readonly ended: number;
  /** Pictures computed together with it, itself included. */
  readonly batchSize: number;
}

interface Request<T, R> {
  readonly item: T;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (batched: Batched<R>) => void;
  readonly reject: (error: unknown) => void;
  /** What its signal does besides rejecting it: it leaves the queue, later its batch. */
  leave: () => void;
  /** No more listening to the signal. */
  settle(): void;
}

export interface SubmitOptions extends Schedule {
  /** Pictures in the item. */
  readonly size: number;
  /** Only items of one kind are computed together. */
  readonly kind: string;
  /** Takes the request out of the queue, or out of its batch. The promise is rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export class DynamicBatcher<T, R> {
  readonly #queue: BatchQueue<Request<T, R>>;
  readonly #policy: BatchingPolicy;
  readonly #compute: Compute<T, R>;
  readonly #clock: Clock;
  readonly #free: number[];
  /** Resolves when all batches before the next one have answered. */
  #answered: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  /** @param instances How many batches `compute` may work on at a time. */
  constructor(policy: BatchingPolicy, instances: number, compute: Compute<T, R>, clock: Clock) {
    this.#queue = new BatchQueue(policy);
    this.#policy = policy;
    this.#compute = compute;
    this.#clock = clock;
    this.#free = Array.from({ length: instances }, (_, i) => i);
  }

  /** Requests that wait. */
  get pending(): number {
    return this.#queue.length;
  }

  /**
   * Has `item` computed.
   *
   * @throws `ERR_BITPATH_QUEUE_FULL` at once, `ERR_BITPATH_TIMEOUT` after the wait, the signal's reason, or what `compute` throws. All
   *   of them reject the promise.
   */
  submit(item: T, { size, kind, priority, timeout, signal }: SubmitOptions): Promise<Batched<R>> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const request: Request<T, R> = {
        item,
        signal,
        resolve,
        reject,
        leave: () => {
          this.#queue.remove(waiting);
          this.#schedule(); // others may be the oldest now
        },
        settle: () => signal?.removeEventListener('abort', abort),
      };
      const waiting = this.#queue.add(request, size, kind, { priority, timeout }, this.#clock.now());
      const abort = () => {
        reject(signal?.reason);
        request.leave();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#schedule();
    });
  }

  /** Rejects what waits with `reason`; what is being computed goes on. */
  clear(reason: unknown): void {
    for (const { item } of this.#queue.clear()) this.#reject(item, reason);
    this.#schedule();
  }

  #schedule(): void {
    this.#wake?.();
    this.#wake = undefined;
    const now = this.#clock.now();
    for (const { item, since } of this.#queue.expire(now)) {
      this.#reject(item, new BitpathError('ERR_BITPATH_TIMEOUT', { milliseconds: Math.round(now - since) }));
    }
    let wake = Number.POSITIVE_INFINITY;
    while (this.#free.length > 0) {
      const decision = this.#queue.take(now);
      wake = decision.wake;
      if (decision.batch.length === 0) break;
      this.#run(decision.batch, this.#free.pop() as number);
    }
    // With no instance free, timeouts are still to be kept.
    if (this.#free.length === 0) wake = this.#queue.nextExpiry(now);
    if (wake !== Number.POSITIVE_INFINITY)
      this.#wake = this.#clock.after(Math.max(0, wake - now), () => this.#schedule());
  }

  async #run(batch: readonly Waiting<Request<T, R>>[], instance: number): Promise<void> {
    const started = this.#clock.now();
    const batchSize = batch.reduce((sum, { size }) => sum + size, 0);
    const controller = new AbortController();
    let left = batch.length;
    for (const { item } of batch) {
      item.leave = () => {
        if (--left === 0) controller.abort(item.signal?.reason);
      };
    }
    const before = this.#answered;
    let answered = () => {};
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      this.#free.push(instance);
      this.#schedule();
    };
    if (this.#policy.preserve_ordering) this.#answered = new Promise((resolve) => (answered = resolve));
    try {
      const results = await this.#compute(
        batch.map(({ item }) => item.item),
        instance,
        controller.signal,
      );
      const ended = this.#clock.now();
      if (this.#policy.preserve_ordering) {
        release(); // the next batch need not wait for answers
        await before;
      }
      for (const [i, { item, since }] of batch.entries()) {
        item.settle();
        item.resolve({ result: results[i] as R, queued: since, started, ended, batchSize });
      }
    } catch (error) {
      for (const { item } of batch) this.#reject(item, error);
    } finally {
      answered();
      release();
    }
  }

  #reject(request: Request<T, R>, error: unknown): void {
    request.settle();
    request.reject(error);
  }
}
