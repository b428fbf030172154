/** What a 1-bit convolution unit is, and the default units of the two families. `units/` has the others. */
import { checkOneOf } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { UnitName } from './units/index.js';

/** What a block tells its unit. */
export interface UnitOptions {
  /** Scope of the unit's nodes, such as `u`. */
  readonly name: string;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Of both axes; the output has ⌈height / stride⌉ × ⌈width / stride⌉ pixels. */
  readonly stride: number;
}

/** A real-valued map in, a real-valued map of `outChannels` out: what stands beside a shortcut. */
export type Branch = (graph: GraphBuilder, x: Value, options: UnitOptions) => Value;

/** Element-wise work that closes a unit. */
export type AfterAdd = (graph: GraphBuilder, y: Value, options: Pick<UnitOptions, 'name'>) => Value;

/**
 * What a block repeats. Blocks add shortcuts, joins and concatenations around it, so any topology carries any unit.
 *
 * A unit is a branch u or, where its method works on the sum (ReActNet's RPReLU, IR-Net's clip), a branch and a step `after`.
 * A block puts `after` on u(x) + s wherever a shortcut s goes round this one unit, and on u(x) itself where none does: in the
 * first unit of a plain residual block, in dense blocks, in the short branch of a summed IGP join. Joins and concatenations
 * come later and have no such step. So there is one `after` for each 1-bit conv in any topology.
 */
export type Unit =
  | Branch
  | {
      /** What stands beside a shortcut. */
      readonly branch: Branch;
      /** What is done to the sum of branch and shortcut. */
      readonly after: AfterAdd;
    };

/**
 * The unit of the ResNet family: Sign → 3×3 1-bit conv, padded with zeros → BatchNorm.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export const binaryUnit: Branch = (graph, x, { name, outChannels, stride }) =>
  graph.scope(name, () => {
    const bits = graph.sign(x);
    const sum = graph.binaryConv(bits, { name: 'conv', outChannels, kernel: 3, stride, padding: 1, scale: true });
    return graph.batchNorm(sum, { name: 'bn' });
  });

/**
 * The unit of the DenseNet family: BatchNorm → Sign → 3×3 1-bit conv, and nothing after the conv.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export const denseUnit: Branch = (graph, x, { name, outChannels, stride }) =>
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
  /** What the block is made of: a unit, or the name of one (`listUnits()`). Default: the family's 1-bit unit. */
  readonly unit?: Unit | UnitName;
}

export function checkJoin(value: Join): Join {
  return checkOneOf('join', value, JOINS);
}
