/** A batch job spread over workers: chunks of pictures go into the queue, results come back, in any order. */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Job, Queue } from 'bullmq';
import type { BatchJob, Picture, Result } from '../batch/index.js';
import { BitpathError } from '../errors.js';
import type { Connection } from './connection.js';
import {
  type Chunk,
  type ChunkResult,
  decodeFailure,
  decodeResults,
  encodeChunk,
  type WorkIdentity,
} from './messages.js';

export interface ProducerOptions {
  readonly connection: Connection;
  /** Of the queue. */
  readonly name: string;
  /** Pictures in a chunk. */
  readonly chunk: number;
  readonly identity: WorkIdentity;
  /** Paths are sent relative to it, or null: absolute. */
  readonly root: string | null;
  readonly record: (picture: Picture, result: Result) => Promise<void>;
  readonly warn: (message: string) => void;
}

/** Chunks in the queue at a time: enough for many workers, and Redis holds no list of a million pictures. */
const WINDOW = 256;
/** Tries of a chunk whose worker failed; what the worker cannot ever do is not tried again. */
const ATTEMPTS = 5;
/** Events are only hints, and are lost with a connection: all that is out is looked at so often. */
const SWEEP_MS = 2_000;
/** Results that nobody fetches. */
const KEEP_SECONDS = 7 * 24 * 3600;

interface Outstanding {
  readonly id: string;
  readonly pictures: readonly Picture[];
}

/**
 * Has all of the job's missing pictures computed. What a run that was killed left in the queue is collected by the next one.
 *
 * @throws `ERR_BITPATH_QUEUE` where a chunk failed too often, `ERR_BITPATH_QUEUE_MISMATCH` where a worker has another model or
 *   version, and what recording throws. Results that came are recorded then.
 */
export async function computeThroughQueue(job: BatchJob, options: ProducerOptions): Promise<void> {
  const producer = new Producer(job, options);
  try {
    await producer.run();
  } finally {
    await producer.close();
  }
}

class Producer {
  readonly #job: BatchJob;
  readonly #options: ProducerOptions;
  readonly #queue: Queue;
  readonly #events: import('bullmq').QueueEvents;
  readonly #outstanding = new Map<string, Outstanding>();
  /** Chunks that an event has said something of. */
  readonly #heard = new Set<string>();
  #wake: () => void = () => {};
  #isAway = false;
  #quietSweeps = 0;

  constructor(job: BatchJob, options: ProducerOptions) {
    this.#job = job;
    this.#options = options;
    const { bullmq, options: connection } = options.connection;
    // An event carries the whole result; the default keeps ten thousand of them in memory.
    this.#queue = new bullmq.Queue(options.name, { connection, streams: { events: { maxLen: 100 } } });
    this.#events = new bullmq.QueueEvents(options.name, { connection });
    this.#queue.on('error', (error: Error) => this.#away(error));
    this.#events.on('error', (error: Error) => this.#away(error));
    for (const event of ['completed', 'failed'] as const) {
      this.#events.on(event, ({ jobId }: { jobId: string }) => {
        if (!this.#outstanding.has(jobId)) return;
        this.#heard.add(jobId);
        this.#wake();
      });
    }
  }

  async run(): Promise<void> {
    for await (const chunk of this.#chunks()) {
      await this.#send(chunk);
      while (this.#outstanding.size >= WINDOW) await this.#collect();
    }
    while (this.#outstanding.size > 0) await this.#collect();
  }

  async close(): Promise<void> {
    // Nobody waits for what is left, after an error: what no worker has begun is taken back.
    for (const { id } of this.#outstanding.values()) {
      if (this.#isAway) break;
      await this.#queue.remove(id).catch(() => {});
    }
    // Closing waits for an answer, which a Redis that is away does not give.
    if (this.#isAway) await Promise.all([this.#events.disconnect(), this.#queue.disconnect()]).catch(() => {});
    else await Promise.all([this.#events.close(), this.#queue.close()]).catch(() => {});
  }

  /** Missing pictures, as chunks that have the same name in each run. */
  async *#chunks(): AsyncGenerator<Outstanding, void, undefined> {
    const { chunk: size } = this.#options;
    let number = 0;
    let pictures: Picture[] = [];
    const take = () => {
      const chunk = { id: `${this.#job.run}-${size}-${number}`, pictures };
      pictures = [];
      return chunk;
    };
    for await (const picture of this.#job.pending()) {
      const of = Math.floor(picture.index / size);
      if (of !== number && pictures.length > 0) yield take();
      number = of;
      pictures.push(this.#located(picture));
    }
    if (pictures.length > 0) yield take();
  }

  #located({ index, image, path }: Picture): Picture {
    const { root } = this.#options;
    const absolute = resolve(path);
    if (root === null) return { index, image, path: absolute };
    const below = relative(resolve(root), absolute);
    if (below !== '' && !isAbsolute(below) && below !== '..' && !below.startsWith(`..${sep}`)) {
      return { index, image, path: below.replaceAll(sep, '/') };
    }
    throw new BitpathError('ERR_BITPATH_BATCH_INPUT', { input: image, reason: `it is not below --root ${root}` });
  }

  async #send(chunk: Outstanding): Promise<void> {
    const { identity, root } = this.#options;
    const data: Chunk = { identity, rooted: root !== null, pictures: chunk.pictures };
    // One that an earlier run saw fail would be taken for this run's, and one that is under way is not added twice.
    const earlier = await this.#find(chunk.id);
    if (earlier !== null && (await earlier.isFailed())) await earlier.remove();
    await this.#queue.add('chunk', encodeChunk(data), {
      jobId: chunk.id,
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: 1_000 },
      removeOnComplete: { age: KEEP_SECONDS },
      removeOnFail: { age: KEEP_SECONDS },
    });
    this.#outstanding.set(chunk.id, chunk);
    // An earlier run's may be done already, and its event is long gone.
    if (earlier !== null) this.#heard.add(chunk.id);
  }

  /** Waits until something is heard of, or it is time to look at all, and takes what is there. */
  async #collect(): Promise<void> {
    if (this.#heard.size === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, SWEEP_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
    const isSweep = this.#heard.size === 0;
    const ids = isSweep ? [...this.#outstanding.keys()] : [...this.#heard];
    this.#heard.clear();
    let taken = 0;
    for (const id of ids) taken += Number(await this.#look(this.#outstanding.get(id)));
    if (isSweep && taken === 0) await this.#quiet();
    else this.#quietSweeps = 0;
  }

  /** Takes the chunk's results if it has them; whether it had. */
  async #look(chunk: Outstanding | undefined): Promise<boolean> {
    if (chunk === undefined) return false;
    const job = await this.#find(chunk.id);
    this.#back();
    if (job === null) {
      // Redis has forgotten it: it was started anew without what it held.
      await this.#send(chunk);
      return false;
    }
    const { name } = this.#options.connection;
    if (await job.isFailed()) throw decodeFailure(name, job.failedReason ?? '');
    if (!(await job.isCompleted())) return false;
    // What was read before it was complete has no result yet.
    const { returnvalue } = (await this.#find(chunk.id)) ?? job;
    const pictures = new Map(chunk.pictures.map((picture) => [picture.index, picture]));
    for (const [index, result] of decodeResults(name, returnvalue, this.#job.columns)) {
      const picture = pictures.get(index);
      if (picture !== undefined) await this.#options.record(picture, result);
    }
    // Recorded for good before the queue forgets it.
    await this.#job.flush();
    await job.remove();
    this.#outstanding.delete(chunk.id);
    const missing = chunk.pictures.filter(({ index }) => !this.#job.has(index));
    if (missing.length > 0) await this.#send({ id: chunk.id, pictures: missing });
    return true;
  }

  async #find(id: string): Promise<Job<object, ChunkResult> | null> {
    return ((await this.#queue.getJob(id)) as Job<object, ChunkResult> | undefined) ?? null;
  }

  /** Nothing has come for a while. That is normal, unless there is nobody to work. */
  async #quiet(): Promise<void> {
    if (++this.#quietSweeps !== 2) return;
    const { name, connection, warn } = this.#options;
    if ((await this.#queue.getWorkersCount()) > 0) return;
    warn(
      `no worker takes from queue ${name} at ${connection.name}; waiting (bitpath worker --queue ${connection.name})`,
    );
  }

  #away(error: Error): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const { connection, warn } = this.#options;
    warn(`${connection.name}: Redis does not answer (${error.message}); waiting for it`);
  }

  #back(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#options.warn(`${this.#options.connection.name}: Redis answers again`);
  }
}
