import { checkFinite, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { poolUp } from './downsample.js';
import { conv3x3 } from './units/conv.js';
import { rPRelu } from './units/reactnet.js';

/** Options of {@link bnFree}. */
export interface BnFreeOptions {
  /** Scope of the block's nodes. */
  readonly name: string;
  /** The input's by default. */
  readonly outChannels?: number;
  /** Default 1. */
  readonly stride?: number;
  /** β, 1 / the standard deviation that is expected of the input. */
  readonly beta: number;
  /** What the unit adds is multiplied by it. Default 0.2. */
  readonly alpha?: number;
}

/**
 * Block of the ReActNet without BatchNorm: x' = β·x, y = RPReLU(α·(s(x' + a) ⊛ W_b) + s). The shortcut s is x itself, unscaled,
 * or average pool → 1×1 conv of the real-valued x' by ±1 (`down.1`), without BatchNorm. Gain and scale of the standardised
 * weights are the convs' factors for each filter. Source: BNN_NoBN's `Qaw_reactnet_18_bf`.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function bnFree(graph: GraphBuilder, x: Value, options: BnFreeOptions): Value {
  checkOptions('bnFree', options, ['name', 'outChannels', 'stride', 'beta', 'alpha']);
  const { name, outChannels = x.shape.channels, stride = 1 } = options;
  const beta = checkFinite('beta of bnFree', options.beta);
  const alpha = checkFinite('alpha of bnFree', options.alpha ?? 0.2);
  const u = { name: 'u', outChannels, stride };
  return graph.scope(name, () => {
    const input = beta === 1 ? x : graph.scale(x, { name: 'beta', factor: beta });
    const keepsShape = stride === 1 && outChannels === x.shape.channels;
    const identity = keepsShape ? x : graph.scope('down', () => realByBits(graph, input, outChannels, stride));
    const branch = graph.scope(u.name, () => {
      const bits = graph.sign(input, { name: 'sign', threshold: true });
      return graph.scale(conv3x3(graph, bits, u, { scale: true }), { name: 'alpha', factor: alpha });
    });
    return rPRelu(graph, graph.add(branch, identity), u);
  });
}

function realByBits(graph: GraphBuilder, x: Value, outChannels: number, stride: number): Value {
  return graph.binaryWeightConv(poolUp(graph, x, stride), { name: '1', outChannels, kernel: 1, scale: true });
}
