import { checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type Downsampling, shortcut } from './downsample.js';
import { type BlockOptions, binaryUnit, checkJoin, checkUnit, type Join } from './unit.js';

export interface ResidualOptions extends BlockOptions {
  /** The input's by default. */
  readonly outChannels?: number;
  /** Of the first unit and the shortcut. Default 1. */
  readonly stride?: number;
  /** Kind of the shortcut where the shape changes. Default `real`. */
  readonly downsample?: Downsampling;
}
const OPTIONS = ['name', 'unit', 'outChannels', 'stride', 'downsample'];

function defaults(x: Value, { outChannels, stride = 1, downsample = 'real', unit = binaryUnit }: ResidualOptions) {
  return { outChannels: outChannels ?? x.shape.channels, stride, type: downsample, unit: checkUnit(unit) };
}

/** Plain binary ResNet block: two units under one shortcut. Units `a.u`, `b.u`. */
export function binaryResidual(graph: GraphBuilder, x: Value, options: ResidualOptions): Value {
  checkOptions('binaryResidual', options, OPTIONS);
  const { outChannels, stride, type, unit } = defaults(x, options);
  return graph.scope(options.name, () => {
    const identity = shortcut(graph, x, { outChannels, stride, type });
    const middle = unit(graph, x, { name: 'a.u', outChannels, stride });
    return graph.add(unit(graph, middle, { name: 'b.u', outChannels, stride: 1 }), identity);
  });
}

/** Bi-Real block: one unit `u` with a shortcut of its own. */
export function biReal(graph: GraphBuilder, x: Value, options: ResidualOptions): Value {
  checkOptions('biReal', options, OPTIONS);
  const { outChannels, stride, type, unit } = defaults(x, options);
  return graph.scope(options.name, () => {
    const identity = shortcut(graph, x, { outChannels, stride, type });
    return graph.add(unit(graph, x, { name: 'u', outChannels, stride }), identity);
  });
}

export interface EBiRealOptions extends ResidualOptions {
  readonly join?: Join;
}

/**
 * EBi-Real block: two Bi-Real units `a.u`, `b.u` under a third shortcut. y₁ = s + a(x), y₂ = y₁ + b(y₁), out = ½·(y₂ + s) or
 * y₂ + s, where s is x, or its downsampling where the shape changes.
 */
export function eBiReal(graph: GraphBuilder, x: Value, options: EBiRealOptions): Value {
  checkOptions('eBiReal', options, [...OPTIONS, 'join']);
  const { outChannels, stride, type, unit } = defaults(x, options);
  const join = checkJoin(options.join ?? 'mean');
  return graph.scope(options.name, () => {
    const identity = shortcut(graph, x, { outChannels, stride, type });
    const first = graph.add(unit(graph, x, { name: 'a.u', outChannels, stride }), identity);
    const second = graph.add(unit(graph, first, { name: 'b.u', outChannels, stride: 1 }), first);
    const sum = graph.add(second, identity);
    return join === 'mean' ? graph.scale(sum, { factor: 0.5 }) : sum;
  });
}
