/** What `describe()` says of a compiled network, and how it is asked. */
import { argumentError, checkInteger, checkOptions } from './check.js';
import type { Shape } from './graph/types.js';
import type { Isa, Peaks } from './native.js';

const DEFAULT_PROFILE_RUNS = 30;
const MAX_PROFILE_RUNS = 65536;

/** One instruction of a compiled network: an op of the graph with what was fused behind it. */
export interface InstructionDescription {
  /** Names of the graph nodes that the instruction computes. */
  readonly nodes: readonly string[];
  /** `input`, `binaryConv`, `conv`, `pixelConv`, `maxPool`, `avgPool` or `map`. */
  readonly op: string;
  /** The kernel that runs it, such as `bconv_vpopcntd_14x16_direct`. */
  readonly kernel: string;
  /** The instruction set of the kernel. */
  readonly isa: Isa;
  /** The inputs that it runs for: float32 tensors, uint8 pictures, or any. */
  readonly input: 'any' | 'float32' | 'uint8';
  /** Of one image. */
  readonly output: Shape;
  /** Work fused behind the op, in order. */
  readonly steps: readonly string[];
  /** Packed weights and constants. */
  readonly weightBytes: number;
  /** Of feature maps, read and written, for one image. Weights come on top. */
  readonly mapBytes: number;
  /** Multiply-accumulates of one image. */
  readonly macs: number;
  /** Only with `profile`, and only where its input runs the instruction. */
  readonly profile?: InstructionProfile;
}

/** Medians over the runs of a profile, for one image. */
export interface InstructionProfile {
  /** Median time of one image. */
  readonly nanoseconds: number;
  /** At the clock of the profile. */
  readonly cycles: number;
  /** The fewest cycles that the instruction's multiply-accumulates take with this kernel's instructions, on all its threads. */
  readonly floorCycles: number;
}

/** How {@link Executor.describe} measures. */
export interface ProfileOptions {
  /** Which way in is run. Default: `uint8` where the network takes pictures. */
  readonly input?: 'float32' | 'uint8' | undefined;
  /** Runs to take the median of, 1 … 65536. Default 30. */
  readonly runs?: number | undefined;
}

/** Options of {@link Executor.describe}. */
export interface DescribeOptions {
  /** Runs the network on made-up input, on this thread, and says how long each instruction takes. Default false. */
  readonly profile?: boolean | ProfileOptions | undefined;
}

/** What {@link Executor.describe} says of a compiled network. */
export interface ExecutorDescription {
  /** The instruction set that its kernels use. */
  readonly isa: Isa;
  /** Most threads that a run uses. */
  readonly threads: number;
  /** Images computed together. */
  readonly batch: number;
  /** All packed weights and constants; clones share them. */
  readonly weightBytes: number;
  /** The feature maps of one batch; each clone has its own. */
  readonly arenaBytes: number;
  /** In the order of execution. */
  readonly instructions: readonly InstructionDescription[];
  /** Only with `profile`: how it was measured, the core's clock in 10⁹ cycles a second among it. */
  readonly profile?: {
    /** The way in that was run. */
    readonly input: 'float32' | 'uint8';
    /** Runs that the medians are of. */
    readonly runs: number;
    /** 10⁹ cycles a second of the core that ran it. */
    readonly clockGHz: number;
    /** What the kernels' instructions can do at most. */
    readonly peaks: Peaks;
  };
}

/** The option `profile` with its defaults; null where nothing is to be measured. Throws `ERR_BITPATH_ARGUMENT`. */
export function readProfileOptions(profile: unknown, acceptsUint8: boolean): Required<ProfileOptions> | null {
  if (profile === undefined || profile === false) return null;
  if (profile === true) return { input: acceptsUint8 ? 'uint8' : 'float32', runs: DEFAULT_PROFILE_RUNS };
  checkOptions('options.profile', profile as object, ['input', 'runs']);
  const { input = acceptsUint8 ? 'uint8' : 'float32', runs = DEFAULT_PROFILE_RUNS } = profile as ProfileOptions;
  if (input !== 'float32' && input !== 'uint8')
    throw argumentError('options.profile.input', "'float32' or 'uint8'", input);
  if (input === 'uint8' && !acceptsUint8)
    throw argumentError('options.profile.input', "'float32', as the network takes no pictures", input);
  return { input, runs: checkInteger('options.profile.runs', runs, 1, MAX_PROFILE_RUNS) };
}

/** Multiply-accumulates a cycle of the kernel that runs `op`. */
export function peakOf(op: string, kernel: string, peaks: Peaks): number {
  if (op === 'binaryConv') return peaks.binaryMacsPerCycle;
  if (op !== 'pixelConv') return peaks.floatMacsPerCycle;
  return kernel.includes('_int8') ? peaks.pixel8MacsPerCycle : peaks.pixelMacsPerCycle;
}
