/**
 * The 1-bit convolution with its whole epilogue (affine, add, store, sign) at the stage shapes of the paper's networks, one
 * thread. A unit's time is a ten-unit chain's less a two-unit chain's, divided by eight: what stands before and after the units
 * cancels. Without the epilogue it is that by the ratio of the two in bare.ts, which take turns.
 */
import { binaryUnit } from '../blocks/index.js';
import { compile, type Executor } from '../executor.js';
import { GraphBuilder } from '../graph/builder.js';
import { randomParams } from '../graph/index.js';
import type { Graph } from '../graph/types.js';
import type { Isa } from '../native.js';
import type { Params } from '../tensor.js';
import { bareMs } from './bare.js';
import { checkEqual } from './check.js';
import { type BenchContext, effort, omit, type Step } from './context.js';
import { binaryPeak } from './limits.js';
import { interleave } from './harness.js';

type ChannelsAndSize = readonly [channels: number, size: number];

const SHAPES: readonly ChannelsAndSize[] = [
  [64, 56],
  [128, 28],
  [256, 14],
  [512, 7],
  [41, 56],
  [82, 28],
  [164, 14],
  [328, 7],
  [53, 56],
  [31, 56],
];
/** All stages of one network, and a first stage of odd width. */
const QUICK_SHAPES = SHAPES.slice(0, 5);
const SHORT = 2;
const LONG = 10;

export function kernelSteps(context: BenchContext): Step[] {
  const limits = new Map<Isa, number>();
  /** 10⁹ products a second. */
  const limitOf = (isa: Isa) => {
    const known = limits.get(isa) ?? binaryPeak(isa) * context.clockGHz;
    limits.set(isa, known);
    return known;
  };
  const shapes = context.quick ? QUICK_SHAPES : SHAPES;
  return shapes.map((shape) => ({ name: `kernels, ${shape.join('×')}`, run: () => time(context, shape, limitOf) }));
}

async function time(context: BenchContext, shape: ChannelsAndSize, limitOf: (isa: Isa) => number): Promise<void> {
  const [channels, size] = shape;
  const input = Float32Array.from({ length: channels * size * size }, (_, i) => Math.sin(i * 12.9898) * 2);
  const executors: { isa: Isa; units: number; executor: Executor }[] = [];
  try {
    for (const units of [SHORT, LONG]) {
      using scalar = await chain(shape, units, 'scalar');
      const expected = answer(scalar, input);
      for (const isa of fast(context)) {
        const executor = await chain(shape, units, isa);
        executors.push({ isa, units, executor });
        checkEqual(`kernel ${channels}×${size} (${isa})`, answer(executor, input), expected, 'the scalar kernel');
      }
    }
    const tasks = executors.map(({ isa, units, executor }) => ({
      name: `${isa} ${units}`,
      run: () => executor.runSync(input),
    }));
    const { rounds, msPerTask } = effort(context);
    const timings = await interleave(tasks, { rounds, msPerTask: msPerTask / 3 });
    for (const isa of fast(context)) {
      const find = (units: number) => executors.findIndex((entry) => entry.isa === isa && entry.units === units);
      const [short, long] = [timings[find(SHORT)]?.p50 ?? Number.NaN, timings[find(LONG)]?.p50 ?? Number.NaN];
      const unitMs = (long - short) / (LONG - SHORT);
      if (!(unitMs > 0)) {
        omit(
          context.draft,
          `kernel ${channels}×${size} (${isa})`,
          'the machine was too busy to time anything so small',
        );
        continue;
      }
      const kernel = executors[find(LONG)]?.executor
        .describe()
        .instructions.find(({ op }) => op === 'binaryConv')?.kernel;
      const gmacs = (9 * channels * channels * size * size) / unitMs / 1e6;
      const { graph, params } = chainOf(shape, SHORT);
      const { bare, whole } = bareMs(graph, params, input, isa, rounds);
      context.draft.kernels.push({
        isa,
        channels,
        size,
        kernel: kernel ?? '',
        gmacs,
        gmacsBare: (gmacs * whole) / bare,
        limitGmacs: limitOf(isa),
      });
    }
  } finally {
    for (const { executor } of executors) executor.dispose();
  }
}

/** The scalar kernels are for reading. */
function fast({ isas }: BenchContext): Isa[] {
  return isas.filter((isa) => isa !== 'scalar');
}

function chain(shape: ChannelsAndSize, units: number, isa: Isa): Promise<Executor> {
  const { graph, params } = chainOf(shape, units);
  return compile(graph, params, { isa, threads: 1 });
}

function chainOf([channels, size]: ChannelsAndSize, units: number): { graph: Graph; params: Params } {
  const graph = new GraphBuilder(`chain-${channels}x${size}-${units}`);
  let x = graph.input({ channels, height: size, width: size });
  for (let i = 0; i < units; i++) {
    x = graph.add(x, binaryUnit(graph, x, { name: `u${i}`, outChannels: channels, stride: 1 }));
  }
  graph.output('y', graph.globalAvgPool(x));
  const built = graph.build();
  return { graph: built, params: randomParams(built, 1) };
}

function answer(executor: Executor, input: Float32Array): Float32Array {
  return executor.runSync(input)['y']?.data as Float32Array;
}
