/** The 1-bit convolution units that blocks are made of. */
import { argumentError, checkOneOf } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';

export interface UnitOptions {
  /** Scope of the unit's nodes, such as `u`. */
  readonly name: string;
  readonly outChannels: number;
  /** Of both axes; the output has ⌈height / stride⌉ × ⌈width / stride⌉ pixels. */
  readonly stride: number;
}

/**
 * What a block repeats: a real-valued map in, a real-valued map of `outChannels` out. Blocks add shortcuts, joins and
 * concatenations around it, so any topology carries any unit.
 */
export type Unit = (graph: GraphBuilder, x: Value, options: UnitOptions) => Value;

/** The unit of the ResNet family: Sign → 3×3 1-bit conv, padded with zeros → BatchNorm. */
export const binaryUnit: Unit = (graph, x, { name, outChannels, stride }) =>
  graph.scope(name, () => {
    const bits = graph.sign(x);
    const sum = graph.binaryConv(bits, { name: 'conv', outChannels, kernel: 3, stride, padding: 1, scale: true });
    return graph.batchNorm(sum, { name: 'bn' });
  });

/** The unit of the DenseNet family: BatchNorm → Sign → 3×3 1-bit conv, and nothing after the conv. */
export const denseUnit: Unit = (graph, x, { name, outChannels, stride }) =>
  graph.scope(name, () => {
    const bits = graph.sign(graph.batchNorm(x, { name: 'bn' }));
    return graph.binaryConv(bits, { name: 'conv', outChannels, kernel: 3, stride, padding: 1, scale: true });
  });

/** How the branches of a block meet: FractalNet's element-wise mean, or the sum. */
export type Join = 'mean' | 'sum';
export const JOINS = ['mean', 'sum'] as const;

/** Options of every block. */
export interface BlockOptions {
  /** Scope of the block's nodes, such as `body.0`. */
  readonly name: string;
  /** What the block is made of. */
  readonly unit?: Unit;
}

export function checkUnit(value: Unit): Unit {
  if (typeof value !== 'function') throw argumentError('unit', 'a function (graph, x, options) → value', value);
  return value;
}
export function checkJoin(value: Join): Join {
  return checkOneOf('join', value, JOINS);
}
