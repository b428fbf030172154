/**
 * The 1-bit convolution without what is fused behind it: a compiled Program with the steps of its 1-bit convolutions left out.
 * It has no answer, so it is timed only beside the same kernel with its steps, whose answer was checked.
 */
import { compileProgram } from '../compiler/index.js';
import { OPCODES } from '../compiler/program.js';
import type { Graph } from '../graph/types.js';
import { type Isa, native } from '../native.js';
import type { Params } from '../tensor.js';
import { median } from './harness.js';

/** Words of a Program's header, of an output, and of a 1-bit convolution before its step count: native/program/layout.h. */
const HEADER = 9;
const OUTPUT = 6;
const STEP_COUNT = 25;

/** The code with `stepCount` 0 in each 1-bit convolution. */
export function withoutSteps(code: Int32Array): Int32Array {
  const outputs = code[7] ?? 0;
  const kept: number[] = [...code.subarray(0, HEADER + OUTPUT * outputs)];
  for (let at = kept.length; at < code.length; ) {
    const words = code[at + 1] ?? 0;
    const instruction = [...code.subarray(at, at + words)];
    at += words;
    if (instruction[0] !== OPCODES.binaryConv) kept.push(...instruction);
    else kept.push(OPCODES.binaryConv, STEP_COUNT + 1, ...instruction.slice(2, STEP_COUNT), 0);
  }
  return Int32Array.from(kept);
}

/** Median milliseconds of the graph's last 1-bit convolution, without its steps and with them, by turns, on one thread. */
export function bareMs(graph: Graph, params: Params, input: Float32Array, isa: Isa, rounds: number): BareTimes {
  const addon = native();
  const { code, constants } = compileProgram(graph, params, { batch: 1, normalization: null });
  const make = (words: Int32Array) => new addon.Executor(new addon.Program(words, constants, isa), 1);
  const executors = [make(withoutSteps(code)), make(code)];
  const last = new addon.Program(code, constants, isa)
    .describe()
    .map(({ op }) => op)
    .lastIndexOf('binaryConv');
  const times = executors.map((): number[] => []);
  try {
    for (let round = 0; round < rounds; round++) {
      executors.forEach((executor, i) => {
        const all = executor.profile(input, 1, RUNS);
        const count = all.length / RUNS;
        for (let run = 1; run < RUNS; run++) times[i]?.push((all[run * count + last] ?? Number.NaN) / 1e6);
      });
    }
  } finally {
    for (const executor of executors) executor.dispose();
  }
  const [bare = Number.NaN, whole = Number.NaN] = times.map(median);
  return { bare, whole };
}

export interface BareTimes {
  readonly bare: number;
  readonly whole: number;
}

const RUNS = 12;
