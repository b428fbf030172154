/** What the parts of a run share, and what they fill. */
import type { Isa } from '../native.js';
import type { Workshop } from './contenders.js';
import type { Effort } from './harness.js';
import type { Peers } from './peers.js';
import type { BenchResult } from './result.js';

export const PARTS = ['kernels', 'layers', 'networks', 'scaling', 'memory', 'startup'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchContext {
  /** Fewer rounds, sizes and shapes: for a first look. */
  readonly quick: boolean;
  /** Most threads. */
  readonly threads: number;
  /** Height and width of the pictures. */
  readonly size: number;
  /** The instruction set that `isa: null` stands for. */
  readonly isa: Isa;
  /** All that this machine can run, best first. */
  readonly isas: readonly Isa[];
  readonly clockGHz: number;
  readonly workshop: Workshop;
  /** Null where onnxruntime-node is not installed. */
  readonly peers: Peers | null;
  readonly draft: Draft;
}

/** The result in the making. */
export type Draft = {
  [K in 'kernels' | 'networks' | 'layers' | 'scaling' | 'memory' | 'startup' | 'omitted']: BenchResult[K][number][];
};

/** A piece of a run that a progress bar can name; it adds what it finds to the draft. */
export interface Step {
  readonly name: string;
  run(): Promise<void>;
}

/** Says once that something was left out. */
export function omit({ omitted }: Draft, what: string, why: string): void {
  if (!omitted.some((entry) => entry.what === what && entry.why === why)) omitted.push({ what, why });
}

/** Six medians are the fewest whose range encloses the true one with 95 %. */
export function effort({ quick }: BenchContext, batch = 1): Effort {
  if (quick) return { rounds: 6, msPerTask: batch === 1 ? 50 : 1 };
  return batch <= 8 ? { rounds: 15, msPerTask: 150 } : { rounds: 7, msPerTask: 100 };
}

/** 1, 2, 4 … and `most` itself. */
export function doublings(most: number): number[] {
  const result: number[] = [];
  for (let n = 1; n < most; n *= 2) result.push(n);
  return [...result, most];
}
