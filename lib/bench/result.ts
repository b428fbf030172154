/**
 * What a run of the benchmarks leaves behind: plain data, written as JSON, read by the report, the comparison and the README's
 * table. Times are milliseconds unless the name says otherwise. A case that was left out says why; nothing is silently missing.
 */
import type { Isa } from '../native.js';

export const RESULT_FORMAT = 'bitpath.bench/1';

/** Whether a file in bench/results/ is such a result, by its name: those of the service begin with what was done to it. */
export function isBenchResultName(name: string): boolean {
  return name.endsWith('.json') && !/^(?:serve|soak|faults)-/.test(name);
}

export interface BenchResult {
  readonly format: typeof RESULT_FORMAT;
  readonly machine: Machine;
  /** The options of the run: `quick`, `threads` and what else decides how well figures are founded. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly kernels: readonly KernelCase[];
  readonly networks: readonly NetworkCase[];
  readonly layers: readonly LayerTable[];
  readonly scaling: readonly ScalingCurve[];
  readonly memory: readonly MemoryCase[];
  readonly startup: readonly StartupCase[];
  /** What was not measured, and why: a peer that is not installed, an ISA that this machine lacks. */
  readonly omitted: readonly { readonly what: string; readonly why: string }[];
}

export interface Machine {
  readonly cpu: string;
  readonly cpus: number;
  readonly isa: Isa;
  /** By a chain of dependent additions, in the run itself; the TSC is no core clock. */
  readonly clockGHz: number;
  readonly os: string;
  readonly node: string;
  readonly bitpath: string;
  readonly onnxruntime: string | null;
  readonly commit: string;
  readonly date: string;
}

/** Of the same task, over rounds that are interleaved with its rivals'. */
export interface Timing {
  readonly samples: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Medians of the rounds, in order: their spread is the noise band. */
  readonly rounds: readonly number[];
}

/** A 1-bit convolution (3×3, stride 1) of a chain of units, with and without its epilogue. */
export interface KernelCase {
  readonly isa: Isa;
  readonly channels: number;
  readonly size: number;
  readonly kernel: string;
  /** Useful ±1 products a second, 10⁹. */
  readonly gmacs: number;
  /** The same without affine, add, store, sign; null where it cannot be told apart. */
  readonly gmacsBare: number | null;
  /** What the ISA's inner-loop instructions reach out of registers on this machine, at the measured clock. */
  readonly limitGmacs: number;
}

/** One engine running one network: every rival of a group was interleaved with the others. */
export interface NetworkCase {
  readonly network: string;
  /** `bitpath`, `onnxruntime float32`, `onnxruntime int8`. */
  readonly engine: string;
  readonly isa: Isa | null;
  /** `uint8` (a picture) or `float32` (a tensor). */
  readonly input: 'uint8' | 'float32';
  /** `float32`, `int16` or `int8` weights of the first convolution. */
  readonly stem: string;
  readonly threads: number;
  readonly batch: number;
  /** Of one call, that is, of `batch` images. */
  readonly latency: Timing;
  readonly imagesPerSecond: number;
  /** Peer's median / this median, in the same group; null where the peer was not there. */
  readonly speedup: { readonly float32: number | null; readonly int8: number | null };
  /** How the answer was checked before timing. */
  readonly checked: string;
}

/** A network's instructions, each with its time and its floor. */
export interface LayerTable {
  readonly network: string;
  readonly isa: Isa;
  readonly input: 'uint8' | 'float32';
  readonly totalMs: number;
  readonly rows: readonly {
    readonly nodes: readonly string[];
    readonly op: string;
    readonly kernel: string;
    readonly macs: number;
    /** Weights and constants, and feature maps read and written, for one image. */
    readonly bytes: number;
    readonly microseconds: number;
    readonly cycles: number;
    /** The fewest cycles that its arithmetic takes on this machine. */
    readonly floorCycles: number;
  }[];
}

/** How time grows: `x` is images of a batch, pixels of an input or threads. */
export interface ScalingCurve {
  readonly network: string;
  readonly engine: string;
  readonly by: 'batch' | 'pixels' | 'threads';
  readonly points: readonly { readonly x: number; readonly ms: number }[];
}

export interface MemoryCase {
  readonly network: string;
  readonly fileBytes: number;
  readonly weightBytes: number;
  readonly arenaBytes: number;
  /** Peak resident set of a process that loads the model and answers, less that of a bare Node. */
  readonly peakRssBytes: number;
  /** What the resident set grows by in a steady run, least over several processes: what is allocated in a run and kept. */
  readonly allocatedPerRun: number | null;
}

export interface StartupCase {
  readonly network: string;
  /** From the call of `loadModel` to the first answer, medians of fresh processes. */
  readonly firstAnswerMs: Timing;
  readonly importMs: Timing;
}
