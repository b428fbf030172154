import { argumentError, checkInteger, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type BlockOptions, binaryUnit, checkJoin, type Join } from './unit.js';
import { type ResolvedUnit, resolveUnit } from './units/index.js';

/** Options of {@link igpResNet}. */
export interface IgpResNetOptions extends BlockOptions {
  /** M, the number of 1-bit convs: 3, 7, 15, 31 … (2^c − 1 for c columns, c from 2 to 10). */
  readonly convs: number;
  /** How the branches of each column meet. Default `mean`. */
  readonly join?: Join;
}

/**
 * IGP-ResNet block: a fractal of M units of one width.
 *
 *     f₁(x) = x + u(x)
 *     f_c(x) = ½·(f_{c−1}(f_{c−1}(x)) + x + u(x))     join: 'mean'
 *     f_c(x) = f_{c−1}(f_{c−1}(x)) + u(x)             join: 'sum'
 *
 * The shortest path through any conv passes this one alone, so N_2nd is one unit's cost. u is `u`, the two fractals in
 * series are the scopes `a` and `b`. What a unit does after the add belongs to x + u(x), or to u(x) in a sum.
 *
 * @throws What the methods of {@link GraphBuilder} throw, and `ERR_BITPATH_UNKNOWN_NAME` for a unit that has no such name.
 */
export function igpResNet(graph: GraphBuilder, x: Value, options: IgpResNetOptions): Value {
  checkOptions('igpResNet', options, ['name', 'unit', 'convs', 'join']);
  const convs = checkInteger('convs', options.convs, 3, 1023);
  const columns = Math.log2(convs + 1);
  if (!Number.isInteger(columns)) throw argumentError('convs', '3, 7, 15, 31 … (2^c − 1)', convs);
  const unit = resolveUnit(options.unit ?? binaryUnit);
  const join = checkJoin(options.join ?? 'mean');
  return graph.scope(options.name, () => fractal(graph, x, columns, unit, join));
}

function fractal(graph: GraphBuilder, x: Value, columns: number, unit: ResolvedUnit, join: Join): Value {
  // The short branch comes first, so that the join is the last step of the last unit's epilogue.
  const options = { name: 'u', outChannels: x.shape.channels, stride: 1 };
  const short = unit.branch(graph, x, options);
  if (columns === 1) return unit.after(graph, graph.add(short, x), options);
  const side = unit.after(graph, join === 'mean' ? graph.add(x, short) : short, options);
  const middle = graph.scope('a', () => fractal(graph, x, columns - 1, unit, join));
  const series = graph.scope('b', () => fractal(graph, middle, columns - 1, unit, join));
  const sum = graph.add(series, side);
  return join === 'mean' ? graph.scale(sum, { factor: 0.5 }) : sum;
}

/** Options of {@link igpTransition}. */
export interface IgpTransitionOptions {
  /** Scope of its nodes. */
  readonly name: string;
  /** Channels of the output. */
  readonly outChannels: number;
}

/**
 * Between stages of an IGP-ResNet: 2×2 average pool → full-precision 1×1 conv `1` → BatchNorm `2`.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function igpTransition(graph: GraphBuilder, x: Value, options: IgpTransitionOptions): Value {
  checkOptions('igpTransition', options, ['name', 'outChannels']);
  return graph.scope(options.name, () => {
    const pooled = graph.avgPool(x, { name: '0', kernel: 2 });
    const conv = graph.conv(pooled, { name: '1', outChannels: options.outChannels, kernel: 1, bias: false });
    return graph.batchNorm(conv, { name: '2' });
  });
}
