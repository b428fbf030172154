import { checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';

/** Options of {@link floatResidual}. */
export interface FloatResidualOptions {
  /** Scope of the block's nodes. */
  readonly name: string;
  /** The input's by default. */
  readonly outChannels?: number;
  /** Of the first conv and the shortcut. Default 1. */
  readonly stride?: number;
}

/**
 * The full-precision basic block of ResNet18 and 34, with torchvision's names (`conv1`, `bn1`, …, `downsample.0`).
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function floatResidual(graph: GraphBuilder, x: Value, options: FloatResidualOptions): Value {
  checkOptions('floatResidual', options, ['name', 'outChannels', 'stride']);
  const { name, stride = 1, outChannels = x.shape.channels } = options;
  const convNorm = (from: Value, conv: string, norm: string, kernel: number, step: number) => {
    const padding = (kernel - 1) / 2;
    const y = graph.conv(from, { name: conv, outChannels, kernel, stride: step, padding, bias: false });
    return graph.batchNorm(y, { name: norm });
  };
  return graph.scope(name, () => {
    const keepsShape = stride === 1 && outChannels === x.shape.channels;
    const identity = keepsShape ? x : convNorm(x, 'downsample.0', 'downsample.1', 1, stride);
    const middle = graph.relu(convNorm(x, 'conv1', 'bn1', 3, stride));
    return graph.relu(graph.add(convNorm(middle, 'conv2', 'bn2', 3, 1), identity));
  });
}
