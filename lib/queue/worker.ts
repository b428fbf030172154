/** A worker: takes chunks of pictures from the queue, computes them, gives the results back. It writes no file. */
import type { Executor } from '../executor.js';
import type { Connection } from './connection.js';
import { decodeChunk, encodeFailure } from './messages.js';
import { checkChunk, type ProcessOptions, processChunk } from './process.js';

export interface WorkerOptions extends ProcessOptions {
  readonly connection: Connection;
  /** Of the queue. */
  readonly name: string;
  /** One for each chunk that is computed at a time. */
  readonly executors: readonly Executor[];
  /** Silence after which another worker takes a chunk over. */
  readonly stalledMs: number;
  readonly log: (event: WorkerEvent) => void;
}

export type WorkerEvent =
  | { readonly event: 'ready'; readonly queue: string; readonly model: string; readonly concurrency: number }
  | { readonly event: 'done'; readonly chunk: string; readonly pictures: number; readonly milliseconds: number }
  | { readonly event: 'failed'; readonly chunk: string; readonly reason: string }
  | { readonly event: 'away' | 'stalled'; readonly reason: string }
  | { readonly event: 'back' | 'draining' | 'stopped' };

/** Deaths of workers over one chunk before it is given up: a picture that kills its worker must not kill them all. */
const MAX_DEATHS = 5;

export interface RunningWorker {
  /** Whether it takes chunks: Redis answers, and nobody has stopped it. */
  readonly isReady: boolean;
  /** Finishes what it has begun, and takes nothing more. */
  stop(): Promise<void>;
}

export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { connection, name, executors, stalledMs, log } = options;
  const { Worker, UnrecoverableError } = connection.bullmq;
  const free = [...executors];
  const state = { isAway: false, isStopping: false };

  const worker = new Worker(
    name,
    async (job) => {
      const executor = free.pop() as Executor;
      const started = performance.now();
      try {
        const chunk = decodeChunk(connection.name, job.data);
        checkChunk(chunk, options);
        const result = await processChunk(chunk, options, executor, async (done) => {
          await job.updateProgress({ done, total: chunk.pictures.length });
        });
        const milliseconds = Math.round(performance.now() - started);
        log({ event: 'done', chunk: job.id ?? '', pictures: result.results.length, milliseconds });
        return result;
      } catch (error) {
        const text = encodeFailure(error);
        log({ event: 'failed', chunk: job.id ?? '', reason: text });
        // Another try would end alike.
        const isFinal = /\(ERR_BITPATH_(QUEUE|QUEUE_MISMATCH|MISSING_PACKAGE)\)$/.test(text);
        throw isFinal ? new UnrecoverableError(text) : new Error(text, { cause: error });
      } finally {
        free.push(executor);
      }
    },
    {
      connection: connection.options,
      concurrency: executors.length,
      lockDuration: stalledMs,
      stalledInterval: stalledMs,
      maxStalledCount: MAX_DEATHS,
      autorun: false,
    },
  );
  worker.on('error', (error) => {
    if (state.isAway || state.isStopping) return;
    state.isAway = true;
    log({ event: 'away', reason: error.message });
  });
  worker.on('ready', () => {
    if (state.isAway) log({ event: 'back' });
    state.isAway = false;
  });
  worker.on('stalled', (id) => log({ event: 'stalled', reason: `chunk ${id} has lost its worker and is tried again` }));
  await worker.waitUntilReady();
  const running = worker.run();
  log({
    event: 'ready',
    queue: `${name} at ${connection.name}`,
    model: options.model.name,
    concurrency: executors.length,
  });
  return {
    get isReady() {
      return !state.isAway && !state.isStopping;
    },
    async stop() {
      state.isStopping = true;
      log({ event: 'draining' });
      await worker.close(state.isAway);
      await running.catch(() => {});
      log({ event: 'stopped' });
    },
  };
}
