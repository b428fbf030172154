/** What only benchmarks ask of native code and of an executor. */
import type { Executor, ExecutorDescription, InstructionDescription } from '../executor.js';
import { type Isa, native } from '../native.js';
import { median } from './harness.js';

const TRIES = 7;

/** The core's clock. A busy machine only makes it look slower, so the highest of a few counts. */
export function clockGHz(): number {
  return Math.max(...Array.from({ length: TRIES }, () => native().clockGHz()));
}

/** ±1 products a cycle that the instructions of an ISA's inner loop reach. A quotient of two times errs both ways: the median. */
export function binaryPeak(isa: Isa): number {
  return median(Array.from({ length: TRIES }, () => native().peaks(isa).binaryMacsPerCycle));
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

/** The instructions that run for `input`, each with its time over `runs` runs. A build that cannot tell gives no `profile`. */
export function profiled(executor: Executor, input: 'uint8' | 'float32', runs: number): ProfiledInstruction[] {
  const { instructions } = (executor as unknown as Profiling).describe({ profile: { input, runs } });
  return instructions.filter((instruction) => instruction.input === 'any' || instruction.input === input);
}
