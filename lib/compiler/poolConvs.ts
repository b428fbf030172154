import {
  type FoldedGraph,
  type FusedGraph,
  type Home,
  type Instruction,
  operandOf,
  type Step,
  sourceOf,
} from './ir.js';

/**
 * Merges a convolution into the max pooling after it, where nothing else reads the map between them: in the stem that is
 * the network's largest map, which then never leaves the cache. A stem has two ways in (float32, pixels), so one pooling may
 * have two convolutions; each takes the pooling's steps.
 */
export function poolConvs(fused: FusedGraph, graph: FoldedGraph, homes: readonly Home[]): FusedGraph {
  const { instructions } = fused;
  const merged = new Map<Instruction, readonly Instruction[]>();
  for (const pool of instructions) {
    if (pool.make.op !== 'maxPool' || pool.when !== 0) continue;
    const value = pool.make.source;
    const writers = instructions.filter(({ steps }) =>
      steps.some((step) => step.op === 'store' && step.value === value),
    );
    const readElsewhere =
      graph.outputs.some((output) => output.value === value) ||
      homes.some((home, id) => id !== value && home?.base === value) ||
      homes[value]?.base !== value ||
      instructions.some(
        ({ make, steps }) =>
          (make !== pool.make && sourceOf(make) === value) || steps.some((step) => operandOf(step) === value),
      );
    if (writers.length === 0 || readElsewhere || !writers.every(isPlainConv)) continue;
    merged.set(
      pool,
      writers.map((writer) => pooled(writer, pool)),
    );
    for (const writer of writers) merged.set(writer, []);
  }
  return { ...fused, instructions: instructions.flatMap((instruction) => merged.get(instruction) ?? [instruction]) };
}

/** Steps that need not know which pixel they are at: rows of the merged map are numbered anew. */
const ELEMENT_WISE: ReadonlySet<Step['op']> = new Set(['affine', 'scale', 'relu', 'hardtanh', 'prelu', 'sigmoid']);

/** A convolution whose steps are element-wise but for the last, which stores. */
function isPlainConv({ make, steps }: Instruction): boolean {
  return (
    (make.op === 'conv' || make.op === 'pixelConv') &&
    steps.at(-1)?.op === 'store' &&
    steps.slice(0, -1).every(({ op }) => ELEMENT_WISE.has(op))
  );
}

function pooled(writer: Instruction, pool: Instruction): Instruction {
  const { make } = writer;
  if ((make.op !== 'conv' && make.op !== 'pixelConv') || pool.make.op !== 'maxPool') throw new RangeError(make.op);
  return {
    ...pool,
    names: [...new Set([...writer.names, ...pool.names])],
    when: writer.when,
    make: {
      op: 'maxPooled',
      inner: make,
      innerSteps: writer.steps.slice(0, -1),
      innerShape: writer.shape,
      attrs: pool.make.attrs,
    },
  };
}
