/** Compiled networks, ready to run. */
import { types } from 'node:util';
import { argumentError, checkInteger, checkOptions, checkString } from './check.js';
import {
  checkNormalization,
  compileProgram,
  type Normalization,
  type PixelStem,
  type Program,
} from './compiler/index.js';
import {
  type DescribeOptions,
  type ExecutorDescription,
  type InstructionDescription,
  type InstructionProfile,
  type ProfileOptions,
  peakOf,
  readProfileOptions,
} from './description.js';
import { BitpathError, fromNative } from './errors.js';
import { checkGraph } from './graph/builder.js';
import type { Graph, Shape } from './graph/types.js';
import { checkMemory, type Isa, type NativeExecutor, type NativeProgram, native } from './native.js';
import { type Images, type Parts, type RunInput, readAll, readImages } from './runInput.js';
import { type Params, Tensor } from './tensor.js';

export type { Normalization, PixelStem } from './compiler/index.js';
export type {
  DescribeOptions,
  ExecutorDescription,
  InstructionDescription,
  InstructionProfile,
  ProfileOptions,
} from './description.js';
export type { Isa, Peaks } from './native.js';
export type { RunInput } from './runInput.js';

/** Options of {@link compile}, and but for `normalization` of {@link Model.compile}. */
export interface CompileOptions {
  /** Most threads that a run uses, 1 … 1024. Default: `BITPATH_THREADS`, else the CPUs that this process may use. */
  readonly threads?: number | undefined;
  /**
   * Most images computed together, 1 … 65536 (default 1). A run takes any number of images, and its result does not depend on
   * this. No more than `threads` are under way at a time.
   */
  readonly batch?: number | undefined;
  /** `scalar`, `avx2`, `avx512` or `neon`. Default: `BITPATH_ISA`, else the best that this machine supports. */
  readonly isa?: Isa | undefined;
  /** Lets the network take uint8 pictures: a pixel p of channel c stands for (p / 255 − mean[c]) / std[c]. */
  readonly normalization?: Normalization | undefined;
  /**
   * Weights of the convolutions that read pictures. `int16` (the default) is within 2·10⁻⁵ of a channel's largest weight; `int8` is
   * lossy and quicker on AVX-512: measure the accuracy of your network before you serve it so.
   */
  readonly pixelStem?: PixelStem | undefined;
}

/** Options of {@link Executor.run}. */
export interface RunOptions {
  /** Stops the run; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** By output name: float32 [N, C, H, W], or [N, C] for a 1×1 map. */
export type Outputs = Readonly<Record<string, Tensor<'float32'>>>;

const MAX_THREADS = 1024;
const MAX_BATCH = 65536;

/**
 * Compiles a graph for this machine.
 *
 * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION` for bad arguments or environment variables,
 *   `ERR_BITPATH_PARAM` for parameters that do not fit the graph, `ERR_BITPATH_ISA` for an instruction set that is unknown or
 *   not supported here, `ERR_BITPATH_ADDON` if the addon cannot be loaded, `ERR_BITPATH_MEMORY`, `ERR_BITPATH_THREAD`. All of
 *   them reject the promise.
 */
export async function compile(graph: Graph, params: Params, options: CompileOptions = {}): Promise<Executor> {
  checkGraph('graph', graph);
  if (!types.isMap(params)) throw argumentError('params', 'a Map of tensors', params);
  checkOptions('options', options, ['threads', 'batch', 'isa', 'normalization', 'pixelStem']);
  const batch = checkInteger('options.batch', options.batch ?? 1, 1, MAX_BATCH);
  const addon = native();
  const threads =
    options.threads === undefined ? defaultThreads() : checkInteger('options.threads', options.threads, 1, MAX_THREADS);
  const isaName =
    options.isa === undefined ? (process.env.BITPATH_ISA ?? null) : checkString('options.isa', options.isa);
  const normalization =
    options.normalization === undefined
      ? null
      : checkNormalization('options.normalization', options.normalization, inputChannels(graph));
  const { pixelStem = 'int16' } = options;
  if (pixelStem !== 'int16' && pixelStem !== 'int8')
    throw argumentError('options.pixelStem', "'int16' or 'int8'", pixelStem);
  return nativeCall(() => {
    const isa = addon.selectIsa(isaName);
    return executorOf(compileProgram(graph, params, { batch, normalization, pixelStem }), threads, isa);
  });
}

/** @internal For a Program that may come from another thread; `threads` are in range. Throws as {@link compile} rejects. */
export function executorOf(program: Program, threads: number, isa?: Isa): Executor {
  const addon = native();
  return nativeCall(() => {
    const chosen = isa ?? addon.selectIsa(process.env.BITPATH_ISA ?? null);
    return new Executor({ program, packed: new addon.Program(program.code, program.constants, chosen), threads });
  });
}

interface Compiled {
  readonly program: Program;
  /** The packed weights; clones share them. */
  readonly packed: NativeProgram;
  readonly threads: number;
}

/**
 * A compiled network with memory of its own for feature maps. Made by {@link compile}; runs of one executor queue and are
 * computed one after another, those of {@link Executor.clone | clones} may be computed at the same time.
 *
 * Every ISA, number of threads and batch gives the same bits.
 */
export class Executor implements Disposable {
  /** The instruction set that its kernels use. */
  readonly isa: Isa;
  /** Most threads that a run uses. */
  readonly threads: number;
  /** Images computed together. */
  readonly batch: number;
  /** Of one image. */
  readonly inputShape: Shape;
  /** Whether it takes uint8 pictures. */
  readonly acceptsUint8: boolean;
  readonly #compiled: Compiled;
  /** Null once disposed. */
  #executor: NativeExecutor | null;

  /** @internal */
  constructor(compiled: Compiled) {
    const { program, packed, threads } = compiled;
    this.#compiled = compiled;
    checkMemory(packed.arenaBytes);
    this.#executor = new (native().Executor)(packed, threads);
    this.isa = packed.isa;
    this.threads = threads;
    this.batch = program.batch;
    this.inputShape = Object.freeze({ ...program.inputShape });
    this.acceptsUint8 = program.acceptsUint8;
  }

  /**
   * Computes the outputs for N images off the JavaScript thread. The input is copied before this returns.
   *
   * @throws `ERR_BITPATH_ARGUMENT` for an input that does not fit, `ERR_BITPATH_UNKNOWN_OPTION`, `ERR_BITPATH_DISPOSED`, also
   *   where the executor is disposed before the run ends, `ERR_BITPATH_MEMORY`, or the signal's reason. All of them reject the
   *   promise.
   */
  async run(input: RunInput, options: RunOptions = {}): Promise<Outputs> {
    return this.#run(() => readImages(input, this.inputShape, this.acceptsUint8), options);
  }

  /**
   * @internal The same for several inputs of one type, as if they were one array: they are not copied twice.
   *
   * @param threads Most that this run uses, 1 … {@link Executor.threads}.
   */
  async runAll(inputs: readonly RunInput[], options: RunOptions = {}, threads = this.threads): Promise<Outputs> {
    return this.#run(() => readAll(inputs, this.inputShape, this.acceptsUint8), options, threads);
  }

  #run(read: () => Images | Parts, options: RunOptions, threads = this.threads): Promise<Outputs> {
    checkOptions('options', options, ['signal']);
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw argumentError('options.signal', 'an AbortSignal', signal);
    signal?.throwIfAborted();
    const executor = this.#live();
    const { data, count } = read();
    const origin: { stack?: string } = {};
    Error.captureStackTrace(origin, this.#run);

    return new Promise((resolve, reject) => {
      let id = 0;
      const abort = () => {
        executor.cancel(id);
        reject(signal?.reason);
      };
      id = nativeCall(() =>
        executor.run(data, count, threads, (error, outputs) => {
          signal?.removeEventListener('abort', abort);
          if (outputs === null) reject(fromNative(error, origin));
          else resolve(this.#name(outputs, count));
        }),
      );
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The same on this thread, which it blocks; the input is read in place. Throws as {@link Executor.run} rejects. */
  runSync(input: RunInput): Outputs {
    const executor = this.#live();
    const { data, count } = readImages(input, this.inputShape, this.acceptsUint8);
    return this.#name(
      nativeCall(() => executor.runSync(data, count)),
      count,
    );
  }

  /**
   * Runs a batch of zeros through every way in, so that the first real run finds memory and threads in place.
   *
   * @throws As {@link Executor.run}.
   */
  async warmup(): Promise<void> {
    this.#live();
    const { channels, height, width } = this.inputShape;
    const length = this.batch * channels * height * width;
    await this.run(new Float32Array(length));
    if (this.acceptsUint8) await this.run(new Uint8Array(length));
  }

  /**
   * What was compiled: each instruction with its kernel, shape and cost, and the totals. With `profile` also the time that each
   * takes and the least that it could take; that blocks this thread for the runs and some 50 ms of calibration.
   *
   * @throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`, `ERR_BITPATH_DISPOSED`
   */
  describe(options: DescribeOptions = {}): ExecutorDescription {
    checkOptions('options', options, ['profile']);
    const executor = this.#live();
    const { program, packed, threads } = this.#compiled;
    const profile = readProfileOptions(options.profile, this.acceptsUint8);
    const profiled = profile === null ? null : nativeCall(() => this.#profile(executor, profile));
    const instructions = packed.describe().map((instruction, i): InstructionDescription => {
      const { nodes = [], when = 0 } = program.instructions[i] ?? {};
      const { op, kernel, steps, weightBytes, mapBytes, macs, channels, height, width } = instruction;
      const input = ({ 0: 'any', 1: 'float32', 2: 'uint8' } as const)[when];
      return {
        nodes,
        op,
        kernel,
        isa: packed.isa,
        input,
        output: { channels, height, width },
        steps,
        weightBytes,
        mapBytes,
        macs,
        ...(profiled && [profiled.input, 'any'].includes(input) && { profile: profiled.of(i, op, kernel, macs) }),
      };
    });
    const { isa, arenaBytes, weightBytes } = packed;
    const { of: _, ...how } = profiled ?? { of: null };
    return {
      isa,
      threads,
      batch: program.batch,
      weightBytes,
      arenaBytes,
      instructions,
      ...(profiled && { profile: how as NonNullable<ExecutorDescription['profile']> }),
    };
  }

  /** Full batches, so that each instruction has the work that it was compiled for. */
  #profile(executor: NativeExecutor, { input, runs }: Required<ProfileOptions>) {
    const { program, packed, threads } = this.#compiled;
    const { channels, height, width } = this.inputShape;
    const length = this.batch * channels * height * width;
    const pixels = Uint8Array.from({ length }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
    const data = input === 'uint8' ? pixels : Float32Array.from(pixels, (pixel) => pixel / 64 - 2);
    executor.profile(data, this.batch, 2); // finds memory and threads in place
    const clockGHz = native().clockGHz();
    const peaks = native().peaks(packed.isa);
    const times = executor.profile(data, this.batch, runs as number);
    const count = program.instructions.length;
    return {
      input: input as 'float32' | 'uint8',
      runs: runs as number,
      clockGHz,
      peaks,
      of: (i: number, op: string, kernel: string, macs: number): InstructionProfile => {
        const sorted = Float64Array.from({ length: runs as number }, (_, run) => times[run * count + i] ?? 0).sort();
        const nanoseconds = (sorted[sorted.length >> 1] ?? 0) / this.batch;
        return {
          nanoseconds,
          cycles: nanoseconds * clockGHz,
          floorCycles: macs / (peakOf(op, kernel, peaks) * threads),
        };
      },
    };
  }

  /**
   * Another executor over the same packed weights, with memory of its own. Disposing one leaves the other alone.
   *
   * @throws `ERR_BITPATH_DISPOSED`, `ERR_BITPATH_MEMORY`, `ERR_BITPATH_THREAD`.
   */
  clone(): Executor {
    this.#live();
    return nativeCall(() => new Executor(this.#compiled));
  }

  /** Frees the feature maps. Runs that have not ended are rejected with `ERR_BITPATH_DISPOSED`. Calling it twice is harmless. */
  dispose(): void {
    this.#executor?.dispose();
    this.#executor = null;
  }

  /** {@link Executor.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #live(): NativeExecutor {
    if (this.#executor === null) throw new BitpathError('ERR_BITPATH_DISPOSED', { what: 'The executor' });
    return this.#executor;
  }

  #name(data: readonly Float32Array[], count: number): Outputs {
    const named = this.#compiled.program.outputs.map(({ name, shape: { channels, height, width } }, i) => {
      const shape = height === 1 && width === 1 ? [count, channels] : [count, channels, height, width];
      return [name, new Tensor('float32', shape, data[i] as Float32Array)] as const;
    });
    return Object.fromEntries(named);
  }
}

/** Runs `call`, and throws what the addon throws as a BitpathError. */
function nativeCall<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

function defaultThreads(): number {
  const text = process.env.BITPATH_THREADS;
  if (text === undefined) return Math.min(native().availableThreads(), MAX_THREADS);
  return checkInteger('BITPATH_THREADS', /^\d{1,4}$/.test(text) ? Number(text) : text, 1, MAX_THREADS);
}

function inputChannels(graph: Graph): number {
  const input = graph.nodes.find((node) => node.op === 'input');
  return graph.values[input?.output ?? -1]?.shape.channels ?? 0;
}
