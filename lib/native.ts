/** The typed face of the addon. Only this file loads it, and it does so on first use, so that a graph can be built anywhere. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { BitpathError, isNodeError } from './errors.js';
import { packageRoot } from './root.js';

/** An instruction set that kernels are written for. */
export type Isa = 'scalar' | 'avx2' | 'avx512' | 'neon';

/** What native code says of one instruction of a Program. */
export interface NativeInstruction {
  /** `input`, `binaryConv`, `conv`, `pixelConv`, `maxPool`, `avgPool` or `map`. */
  readonly op: string;
  /** The kernel's symbol-like name, such as `bconv_vpopcntd_14x16_direct`. */
  readonly kernel: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Bytes of packed weights and epilogue constants. */
  readonly weightBytes: number;
  /** Bytes of feature maps that one image's instruction reads and writes. */
  readonly mapBytes: number;
  /** Multiply-accumulates of one image: ±1 products for `binaryConv`, real ones for `conv`, `pixelConv`. */
  readonly macs: number;
  /** The fused steps, such as `affine`, `add`, `store`, `sign`. */
  readonly steps: readonly string[];
}

export interface NativeProgram {
  readonly isa: Isa;
  readonly arenaBytes: number;
  /** Bytes of all packed weights and constants. */
  readonly weightBytes: number;
  describe(): NativeInstruction[];
}

export interface NativeExecutor {
  /**
   * Copies `input` (`images` × float32 NCHW, or uint8 NHWC; in one array or several of a type), queues a run on at most `threads` of
   * the executor's threads and returns its id. `callback(error, outputs)` is called once, later, on this thread; each output is a
   * Float32Array of `images` × C·H·W in NCHW order.
   */
  run(
    input: Float32Array | Uint8Array | readonly (Float32Array | Uint8Array)[],
    images: number,
    threads: number,
    callback: (error: Error | null, outputs: Float32Array[] | null) => void,
  ): number;
  /** Asks a queued or running run to stop; its callback then gets `ERR_BITPATH_ABORTED`. */
  cancel(id: number): void;
  runSync(input: Float32Array | Uint8Array, images: number): Float32Array[];
  /** Runs `runs` times on this thread: nanoseconds of each instruction, run by run. */
  profile(input: Float32Array | Uint8Array, images: number, runs: number): Float64Array;
  /** Waits for no run: queued and running ones end with `ERR_BITPATH_DISPOSED`. Calling it twice is harmless. */
  dispose(): void;
}

/** Multiply-accumulates a cycle that the instructions of each inner loop reach out of registers, on one core. */
export interface Peaks {
  /** ±1 products, of 1-bit convolutions. */
  readonly binaryMacsPerCycle: number;
  /** float32 products. */
  readonly floatMacsPerCycle: number;
  /** Products of uint8 pixels and 16-bit weights. */
  readonly pixelMacsPerCycle: number;
  /** Products of uint8 pixels and 8-bit weights. */
  readonly pixel8MacsPerCycle: number;
}

export interface Binding {
  /** Hash of the native sources that the addon was built from. */
  readonly buildId: string;
  /** ISAs in this binary, best first, and whether this machine can run each. */
  readonly isas: readonly { readonly name: Isa; readonly supported: boolean }[];
  /** The ISA for `name` (null: the best supported one). Throws `ERR_BITPATH_ISA`. */
  selectIsa(name: string | null): Isa;
  /** Checks and packs a Program. Throws `ERR_BITPATH_PROGRAM`. */
  Program: new (
    code: Int32Array,
    constants: Uint8Array,
    isa: Isa,
  ) => NativeProgram;
  /** An arena for `program` and its queue of runs, each on up to `threads` threads. */
  Executor: new (
    program: NativeProgram,
    threads: number,
  ) => NativeExecutor;
  /** CPUs that this process may use: affinity mask and cgroup quota, at least 1. */
  availableThreads(): number;
  /** The core's clock right now, by a chain of dependent additions; takes 10 ms. */
  clockGHz(): number;
  /** Measured; takes 30 ms. Throws `ERR_BITPATH_ISA`. */
  peaks(isa: Isa): Peaks;
  /**
   * Antialiased bilinear resize of one picture as PyTorch's `interpolate(mode='bilinear', align_corners=False, antialias)` does it,
   * then a crop.
   */
  Resizer: new (
    height: number,
    width: number,
    options: {
      resizedHeight: number;
      resizedWidth: number;
      antialias: boolean;
      cropTop: number;
      cropLeft: number;
      cropHeight: number;
      cropWidth: number;
    },
  ) => NativeResizer;
}

export interface NativeResizer {
  /** Copies what follows of the picture's uint8 height × width × 3. */
  append(pixels: Uint8Array): void;
  /** Once, when all of it was appended. The result is float32 in 0 … 255, cropHeight × cropWidth × 3, before any rounding. */
  run(callback: (error: Error | null, result: Float32Array | null) => void): void;
}

let binding: Binding | undefined;

/** The addon. Throws `ERR_BITPATH_ADDON` if no binary fits this machine. */
export function native(): Binding {
  if (binding === undefined) {
    const root = packageRoot();
    try {
      binding = createRequire(join(root, 'package.json'))('node-gyp-build')(root) as Binding;
    } catch (cause) {
      const library = libc() === null ? '' : `, ${libc()}`;
      const platform = `${process.platform}-${process.arch}${library}, Node ${process.version}, ${cpus()[0]?.model.trim() || 'an unnamed CPU'}`;
      throw new BitpathError('ERR_BITPATH_ADDON', { platform, reason: reasonOf(cause, root) }, { cause });
    }
  }
  return binding;
}

/** An install may have run without scripts, or on another machine than this one. */
function reasonOf(cause: unknown, root: string): string {
  // Below the first line node-gyp-build repeats where it runs.
  const first = (isNodeError(cause) ? cause.message : String(cause)).split('\n')[0];
  const tried = ['build/Release', `prebuilds/${process.platform}-${process.arch}`].map((folder) => {
    const binaries = files(join(root, folder)).filter((name) => name.endsWith('.node'));
    return `${join(root, folder)} (${binaries.join(', ') || 'no binary'})`;
  });
  // From npm 12 on, a rebuild runs no script that is not approved, and does not say that it failed.
  const command = /[/\\]node_modules[/\\]/.test(root)
    ? 'npm rebuild bitpath (npm 12 and later: npm install-scripts approve bitpath before it)'
    : 'npm run build:native';
  return `${first}. Looked in ${tried.join(' and ')}. To build it for this machine (with a C++17 compiler, make and Python 3): ${command}`;
}

/** The C library of a Linux, null elsewhere. */
export function libc(): string | null {
  if (process.platform !== 'linux') return null;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

function files(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Refuses an arena that this machine or container can never hold: zeros cost nothing until a run touches them, and then it kills. */
export function checkMemory(arenaBytes: number): void {
  const constrained = process.constrainedMemory();
  const limit = Math.min(totalmem(), constrained > 0 ? constrained : Number.POSITIVE_INFINITY);
  if (arenaBytes <= limit) return;
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new BitpathError('ERR_BITPATH_MEMORY', {
    reason: `feature maps of one batch take ${gigabytes(arenaBytes)} and this process may have ${gigabytes(limit)}; a smaller batch takes less`,
  });
}
