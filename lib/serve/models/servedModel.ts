/** One version of a model that answers requests: its executors, the queue in front of them, and what it says of itself. */
import type { Executor } from '../../executor.js';
import { BitpathError } from '../../errors.js';
import type { Label } from '../../formats/model-file.js';
import type { InferRequest, InferResponse, ModelMetadata, ModelStatistics } from '../../protocol/index.js';
import { type Batched, DynamicBatcher } from '../batching/batcher.js';
import type { BatchingPolicy, Schedule } from '../batching/policy.js';
import type { Clock } from '../clock.js';
import type { Decoder } from './decoding.js';
import { runBatch, type Values } from './execution.js';
import {
  alternatives,
  decodePictures,
  inputMetadata,
  onlyInput,
  type Pictures,
  readPictures,
  type Ways,
} from './inputs.js';
import type { LoadedModel, Loader } from './loading.js';
import { modelConfig } from './modelConfig.js';
import { checkRequested, type OutputShape, outputMetadata, writeOutputs } from './outputs.js';
import { type Answered, Statistics } from './statistics.js';
import { together } from './together.js';
import type { Spans } from '../spans.js';

/** What a served model needs of the server around it. */
export interface Surroundings {
  readonly clock: Clock;
  readonly decoder: Decoder;
  readonly observer: Observer;
  /** Whether at most one request is on its way, to whatever model. */
  readonly isQuiet: () => boolean;
  readonly load: Loader;
}

/** Hears what happens, for metrics. Times are milliseconds. */
export interface Observer {
  answered(model: ServedModel, answered: Answered): void;
  failed(model: ServedModel, error: unknown, total: number): void;
  executed(model: ServedModel, pictures: number, milliseconds: number): void;
}

/** Most threads of one batch. */
export interface Threads {
  readonly busy: number;
  /** Of a request that is alone on the server; at least as many. */
  readonly lone: number;
}

export interface ServedModelOptions {
  readonly name: string;
  readonly version: string;
  readonly batching: BatchingPolicy;
  /** Batches computed at a time. Each needs memory of its own for feature maps; the threads are shared. */
  readonly instances: number;
  readonly threads: Threads;
}

/** How one request is to be served. */
export interface RequestContext {
  readonly signal?: AbortSignal | undefined;
  readonly spans?: Spans | undefined;
}

/** Predictions for pictures, and how long each step took. Milliseconds. */
export interface Classified {
  /** One row a picture. */
  readonly logits: readonly Float32Array[];
  readonly timings: { readonly decode: number; readonly queue: number; readonly compute: number };
}

const NO_SCHEDULE: Schedule = { priority: 0, timeout: 0 };

export class ServedModel {
  readonly name: string;
  readonly version: string;
  readonly labels: readonly Label[] | null;
  readonly options: ServedModelOptions;
  readonly outputs: readonly OutputShape[];
  readonly #ways: Ways;
  readonly #executors: readonly Executor[];
  readonly #batcher: DynamicBatcher<Pictures, Values>;
  readonly #statistics = new Statistics();
  readonly #surroundings: Surroundings;
  /** Requests that are on their way, in the queue or before and behind it. */
  #active = 0;
  #onIdle: (() => void)[] = [];

  private constructor(model: LoadedModel, options: ServedModelOptions, surroundings: Surroundings) {
    const { name, version, batching, instances } = options;
    this.name = name;
    this.version = version;
    const { executor, labels, preprocessing, outputs } = model;
    this.labels = labels;
    this.options = options;
    this.#surroundings = surroundings;
    this.#ways = {
      shape: executor.inputShape,
      preprocessing,
      maxBatchSize: batching.max_batch_size,
    };
    this.outputs = outputs.map(({ name, shape: { channels, height, width } }): OutputShape => {
      return { name, shape: height === 1 && width === 1 ? [channels] : [channels, height, width] };
    });
    this.#executors = [executor, ...Array.from({ length: instances - 1 }, () => executor.clone())];
    this.#batcher = new DynamicBatcher(
      batching,
      instances,
      (items, i, signal) => this.#compute(items, i, signal),
      surroundings.clock,
    );
  }

  /** Runs the network once, so that its first request finds memory and threads in place. */
  static async start(
    model: LoadedModel,
    options: ServedModelOptions,
    surroundings: Surroundings,
  ): Promise<ServedModel> {
    const served = new ServedModel(model, options, surroundings);
    const { channels, height, width } = model.executor.inputShape;
    await model.executor.run(new Float32Array(channels * height * width));
    return served;
  }

  /** Requests that wait in the queue. */
  get pending(): number {
    return this.#batcher.pending;
  }

  /** Requests on their way, those that wait included. */
  get active(): number {
    return this.#active;
  }

  /** Instruction set and threads of a batch. */
  get compiled(): { readonly isa: string; readonly threads: Threads } {
    return { isa: (this.#executors[0] as Executor).isa, threads: this.options.threads };
  }

  /** What a client must know to ask it something. `versions` are all that are ready. */
  metadata(versions: readonly string[]): ModelMetadata {
    const properties = alternatives(this.#ways);
    return {
      name: this.name,
      versions,
      platform: 'bitpath',
      inputs: [inputMetadata(this.#ways)],
      outputs: outputMetadata(this.outputs),
      ...(Object.keys(properties).length > 0 && { properties }),
    };
  }

  /** Triton's model configuration. */
  config(): object {
    return modelConfig(this.options, this.metadata([this.version]));
  }

  statistics(): ModelStatistics {
    return this.#statistics.snapshot(this.name, this.version);
  }

  /**
   * Answers a request of the protocol.
   *
   * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_NAME` (an output), `ERR_BITPATH_IMAGE`, `ERR_BITPATH_QUEUE_FULL`,
   *   `ERR_BITPATH_TIMEOUT`, the signal's reason.
   */
  infer(request: InferRequest, context: RequestContext): Promise<InferResponse> {
    return this.#observed(async (times) => {
      const input = onlyInput(request);
      checkRequested(request.outputs, this.outputs);
      const read = () => readPictures(input, this.#ways, this.#surroundings.decoder, context.signal);
      const pictures = await (input.datatype === 'BYTES' ? spanned(context, 'decode', read) : read());
      const values = await this.#submit(pictures, scheduleOf(request), context, times);
      const outputs = writeOutputs(request.outputs, this.outputs, values, pictures.count, this.labels);
      return { model_name: this.name, model_version: this.version, id: request.id, parameters: {}, outputs };
    });
  }

  /**
   * The first output's values for picture files. Throws as {@link infer}, and `ERR_BITPATH_ARGUMENT` where the network takes no
   * pictures or has no classes.
   */
  classify(files: readonly Uint8Array[], context: RequestContext): Promise<Classified> {
    return this.#observed(async (times) => {
      const { preprocessing } = this.#ways;
      if (preprocessing === null || this.outputs[0]?.shape.length !== 1) {
        throw new BitpathError('ERR_BITPATH_ARGUMENT', {
          argument: 'model',
          expected: 'a model that names what is on pictures',
          received: this.name,
        });
      }
      const { now } = this.#surroundings.clock;
      const began = now();
      const pictures = await spanned(context, 'decode', () =>
        decodePictures(files, preprocessing, this.#surroundings.decoder, context.signal),
      );
      const decode = now() - began;
      const parts = await together(
        context.signal,
        split(pictures, this.#ways.maxBatchSize).map((part) => async (signal) => {
          const values = await this.#submit(part, NO_SCHEDULE, { ...context, signal }, times);
          const [logits] = values as [Float32Array];
          const classes = logits.length / part.count;
          return Array.from({ length: part.count }, (_, i) => logits.subarray(i * classes, (i + 1) * classes));
        }),
      );
      times.count = files.length;
      return {
        logits: parts.flat(),
        timings: { decode, queue: lasted(times).queue, compute: lasted(times).infer },
      };
    });
  }

  /** Resolves once no request is on its way any more. */
  idle(): Promise<void> {
    if (this.#active === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Rejects requests that wait, and frees the executors; runs that have not ended are rejected too. */
  dispose(
    reason: unknown = new BitpathError('ERR_BITPATH_UNAVAILABLE', { what: this.name, reason: 'it was unloaded' }),
  ): void {
    this.#batcher.clear(reason);
    for (const executor of this.#executors) executor.dispose();
  }

  /** Runs `serve`, which fills in the times, and tells statistics and observer how it went. */
  async #observed<T>(serve: (times: Times) => Promise<T>): Promise<T> {
    const { clock, observer } = this.#surroundings;
    const times: Times = { began: clock.now(), count: 0, input: 0, queued: Infinity, started: Infinity, ended: 0 };
    this.#active++;
    try {
      const result = await serve(times);
      const now = clock.now();
      const { count, input, ended } = times;
      const answered: Answered = { count, input, ...lasted(times), output: now - ended, total: now - times.began };
      this.#statistics.success(answered, Date.now());
      observer.answered(this, answered);
      return result;
    } catch (error) {
      const total = clock.now() - times.began;
      this.#statistics.fail(total);
      observer.failed(this, error, total);
      throw error;
    } finally {
      this.#active--;
      if (this.#active === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  async #submit(pictures: Pictures, schedule: Schedule, context: RequestContext, times: Times): Promise<Values> {
    const { count: size, kind } = pictures;
    times.count = size;
    times.input = this.#surroundings.clock.now() - times.began;
    const batched: Batched<Values> = await this.#batcher.submit(pictures, {
      ...schedule,
      size,
      kind,
      signal: context.signal,
    });
    // Of a request in several batches, from the first to the last.
    times.queued = Math.min(times.queued, batched.queued);
    times.started = Math.min(times.started, batched.started);
    times.ended = Math.max(times.ended, batched.ended);
    context.spans?.past('queue', batched.queued, batched.started);
    context.spans?.past('compute', batched.started, batched.ended, { 'bitpath.batch_size': batched.batchSize });
    return batched.result;
  }

  async #compute(items: readonly Pictures[], instance: number, signal: AbortSignal): Promise<Values[]> {
    const { clock, observer, isQuiet } = this.#surroundings;
    const { busy, lone } = this.options.threads;
    const began = clock.now();
    const names = this.outputs.map(({ name }) => name);
    const threads = isQuiet() ? lone : busy;
    const values = await runBatch(this.#executors[instance] as Executor, items, { names, threads, signal });
    const milliseconds = clock.now() - began;
    const size = items.reduce((sum, { count }) => sum + count, 0);
    this.#statistics.execution(size, milliseconds);
    observer.executed(this, size, milliseconds);
    return values;
  }
}

interface Times {
  readonly began: number;
  count: number;
  input: number;
  queued: number;
  started: number;
  ended: number;
}

function lasted({ queued, started, ended }: Times): { readonly queue: number; readonly infer: number } {
  return { queue: started - queued, infer: ended - started };
}

/** Pieces of at most `size` pictures. */
function split({ kind, data, count }: Pictures, size: number): Pictures[] {
  const picture = data.length / count;
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    kind,
    data: data.subarray(i * size * picture, (i + 1) * size * picture),
    count: Math.min(size, count - i * size),
  }));
}

/** `priority` and `timeout` (microseconds) of a request; what is no number of that kind counts as left out. */
function scheduleOf({ parameters }: InferRequest): Schedule {
  const whole = (value: unknown) => (Number.isSafeInteger(Number(value)) && Number(value) > 0 ? Number(value) : 0);
  return { priority: whole(parameters['priority']), timeout: whole(parameters['timeout']) };
}

function spanned<T>({ spans }: RequestContext, name: string, call: () => Promise<T>): Promise<T> {
  return spans === undefined ? call() : spans.around(name, call);
}
