/** What only benchmarks ask of native code and of an executor. A build that lacks some of it leaves out what rests on it. */
import type { Executor, ExecutorDescription, InstructionDescription } from '../executor.js';
import { type Binding, type Isa, native } from '../native.js';

/** Multiply-accumulates a cycle that the instructions of each inner loop reach out of registers, on one core. */
export interface Peaks {
  readonly binaryMacsPerCycle: number;
  readonly floatMacsPerCycle: number;
  readonly pixelMacsPerCycle: number;
}

interface Extras {
  /** The core's clock right now, by a chain of dependent additions. */
  clockGHz(): number;
  peaks(isa: Isa): Peaks;
}

export function extras(): Partial<Extras> {
  return native() as Binding & Partial<Extras>;
}

export interface InstructionProfile {
  readonly nanoseconds: number;
  readonly cycles: number;
  /** The fewest cycles that its arithmetic takes. */
  readonly floorCycles: number;
}
export type ProfiledInstruction = InstructionDescription & { readonly profile?: InstructionProfile };

interface Profiling {
  describe(options: {
    readonly profile: { readonly input: 'uint8' | 'float32'; readonly runs: number };
  }): ExecutorDescription & { readonly instructions: readonly ProfiledInstruction[] };
}

/** The instructions that run for `input`, each with its time over `runs` runs where the build can tell. */
export function profiled(executor: Executor, input: 'uint8' | 'float32', runs: number): ProfiledInstruction[] {
  const { instructions } = (executor as unknown as Profiling).describe({ profile: { input, runs } });
  return instructions.filter((instruction) => instruction.input === 'any' || instruction.input === input);
}
