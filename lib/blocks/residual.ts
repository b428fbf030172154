import { checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type Downsampling, type DownsampleOptions, shortcut } from './downsample.js';
import { type BlockOptions, binaryUnit, checkJoin, type Join } from './unit.js';
import { resolveUnit } from './units/index.js';

/** Options of {@link biReal} and {@link binaryResidual}. */
export interface ResidualOptions extends BlockOptions {
  /** The input's by default. */
  readonly outChannels?: number;
  /** Of the first unit and the shortcut. Default 1. */
  readonly stride?: number;
  /** The shortcut where the shape changes: its type, or options of `downsample`. Default `real`. */
  readonly downsample?: Downsampling | Pick<DownsampleOptions, 'type' | 'scale'>;
}
const OPTIONS = ['name', 'unit', 'outChannels', 'stride', 'downsample'];

function defaults(graph: GraphBuilder, x: Value, options: ResidualOptions) {
  const { outChannels = x.shape.channels, stride = 1, downsample = 'real' } = options;
  const kind = typeof downsample === 'string' ? { type: downsample } : downsample;
  return {
    ...resolveUnit(options.unit ?? binaryUnit),
    outChannels,
    stride,
    identity: () => shortcut(graph, x, { ...kind, outChannels, stride }),
  };
}

/**
 * Plain binary ResNet block: two units under one shortcut. Units `a.u`, `b.u`.
 *
 * @throws What the methods of {@link GraphBuilder} throw, and `ERR_BITPATH_UNKNOWN_NAME` for a unit that has no such name.
 */
export function binaryResidual(graph: GraphBuilder, x: Value, options: ResidualOptions): Value {
  checkOptions('binaryResidual', options, OPTIONS);
  const { branch, after, outChannels, stride, identity } = defaults(graph, x, options);
  return graph.scope(options.name, () => {
    const around = identity();
    const [a, b] = [
      { name: 'a.u', outChannels, stride },
      { name: 'b.u', outChannels, stride: 1 },
    ];
    const middle = after(graph, branch(graph, x, a), a);
    return after(graph, graph.add(branch(graph, middle, b), around), b);
  });
}

/**
 * Bi-Real block: one unit `u` with a shortcut of its own.
 *
 * @throws What the methods of {@link GraphBuilder} throw, and `ERR_BITPATH_UNKNOWN_NAME` for a unit that has no such name.
 */
export function biReal(graph: GraphBuilder, x: Value, options: ResidualOptions): Value {
  checkOptions('biReal', options, OPTIONS);
  const { branch, after, outChannels, stride, identity } = defaults(graph, x, options);
  return graph.scope(options.name, () => {
    const around = identity();
    const u = { name: 'u', outChannels, stride };
    return after(graph, graph.add(branch(graph, x, u), around), u);
  });
}

/** Options of {@link eBiReal}. */
export interface EBiRealOptions extends ResidualOptions {
  /** How the third shortcut meets the two units. Default `mean`. */
  readonly join?: Join;
}

/**
 * EBi-Real block: two Bi-Real units `a.u`, `b.u` under a third shortcut. y₁ = s + a(x), y₂ = y₁ + b(y₁), out = ½·(y₂ + s) or
 * y₂ + s, where s is x, or its downsampling where the shape changes.
 *
 * @throws What the methods of {@link GraphBuilder} throw, and `ERR_BITPATH_UNKNOWN_NAME` for a unit that has no such name.
 */
export function eBiReal(graph: GraphBuilder, x: Value, options: EBiRealOptions): Value {
  checkOptions('eBiReal', options, [...OPTIONS, 'join']);
  const { branch, after, outChannels, stride, identity } = defaults(graph, x, options);
  const join = checkJoin(options.join ?? 'mean');
  return graph.scope(options.name, () => {
    const around = identity();
    const [a, b] = [
      { name: 'a.u', outChannels, stride },
      { name: 'b.u', outChannels, stride: 1 },
    ];
    const first = after(graph, graph.add(branch(graph, x, a), around), a);
    const second = after(graph, graph.add(branch(graph, first, b), first), b);
    const sum = graph.add(second, around);
    return join === 'mean' ? graph.scale(sum, { factor: 0.5 }) : sum;
  });
}
