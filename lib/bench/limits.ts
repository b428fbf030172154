/** What the machine reaches: the core's clock, and the limit of kernels. */
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
