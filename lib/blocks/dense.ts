import { checkBoolean, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type BlockOptions, checkJoin, denseUnit, type Join } from './unit.js';
import { resolveUnit } from './units/index.js';

/** Options of {@link binaryDense}. */
export interface BinaryDenseOptions extends BlockOptions {
  /** Channels that the layer adds, k. */
  readonly growth: number;
}

/**
 * BinaryDenseNet layer: out = cat(x, u(x)), where the unit `u` makes `growth` channels.
 *
 * @throws What the methods of {@link GraphBuilder} throw, and `ERR_BITPATH_UNKNOWN_NAME` for a unit that has no such name.
 */
export function binaryDense(graph: GraphBuilder, x: Value, options: BinaryDenseOptions): Value {
  checkOptions('binaryDense', options, ['name', 'unit', 'growth']);
  const { branch, after } = resolveUnit(options.unit ?? denseUnit);
  const u = { name: 'u', outChannels: options.growth, stride: 1 };
  return graph.scope(options.name, () => graph.concat([x, after(graph, branch(graph, x, u), u)]));
}

/** Options of {@link igpDense}. */
export interface IgpDenseOptions extends BinaryDenseOptions {
  /** How A and D meet. Default `mean`. */
  readonly join?: Join;
  /** The shortcut round the third unit. Default true. */
  readonly shortcut?: boolean;
}

/**
 * IGP-DenseNet block, in place of two BinaryDenseNet layers: with b = B(x), out = cat(x, J(A(x), b + D(b))); without
 * `shortcut`, out = cat(x, J(A(x), D(b))). J is the mean or the sum. A, B: C → k, D: k → k are `a.u`, `b.u`, `d.u`.
 *
 * @throws What the methods of {@link GraphBuilder} throw, and `ERR_BITPATH_UNKNOWN_NAME` for a unit that has no such name.
 */
export function igpDense(graph: GraphBuilder, x: Value, options: IgpDenseOptions): Value {
  checkOptions('igpDense', options, ['name', 'unit', 'growth', 'join', 'shortcut']);
  const { branch, after } = resolveUnit(options.unit ?? denseUnit);
  const join = checkJoin(options.join ?? 'mean');
  const withShortcut = checkBoolean('shortcut', options.shortcut ?? true);
  const { name, growth: outChannels } = options;
  return graph.scope(name, () => {
    const named = (unit: string) => ({ name: unit, outChannels, stride: 1 });
    const a = after(graph, branch(graph, x, named('a.u')), named('a.u'));
    const b = after(graph, branch(graph, x, named('b.u')), named('b.u'));
    const d = branch(graph, b, named('d.u'));
    const deep = after(graph, withShortcut ? graph.add(d, b) : d, named('d.u'));
    const sum = graph.add(deep, a);
    return graph.concat([x, join === 'mean' ? graph.scale(sum, { factor: 0.5 }) : sum]);
  });
}

/** Options of {@link denseTransition}. */
export interface DenseTransitionOptions {
  /** Scope of its nodes. */
  readonly name: string;
  /** Channels of the output. */
  readonly outChannels: number;
}

/**
 * Between stages of a DenseNet: BatchNorm `0` → 2×2 max pool → ReLU → full-precision 1×1 conv `3`.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function denseTransition(graph: GraphBuilder, x: Value, options: DenseTransitionOptions): Value {
  checkOptions('denseTransition', options, ['name', 'outChannels']);
  return graph.scope(options.name, () => {
    const pooled = graph.maxPool(graph.batchNorm(x, { name: '0' }), { name: '1', kernel: 2 });
    const active = graph.relu(pooled, { name: '2' });
    return graph.conv(active, { name: '3', outChannels: options.outChannels, kernel: 1, bias: false });
  });
}
