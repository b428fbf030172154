import { argumentError, checkInteger, checkOneOf, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Padding, Value } from '../graph/types.js';

/**
 * - `real`: average pool → full-precision 1×1 conv `1` → BatchNorm `2`.
 * - `strided`: full-precision 1×1 conv `0` with stride → BatchNorm `1`, as IR-Net and RBNN have it.
 * - `binary`: Sign → 1-bit 1×1 conv `conv` with stride → BatchNorm `bn` (rows marked # in the paper's Table 1).
 */
export type Downsampling = 'real' | 'strided' | 'binary';
const TYPES: readonly Downsampling[] = ['real', 'strided', 'binary'];

/** Options of {@link downsample}. */
export interface DownsampleOptions {
  /** Channels of the output. */
  readonly outChannels: number;
  /** Default 2. */
  readonly stride?: number;
  /** Default `real`. */
  readonly type?: Downsampling;
  /** Has the 1-bit conv of `binary` a factor for each filter? Default true. */
  readonly scale?: boolean;
  /** Default `down`. */
  readonly name?: string;
}

/**
 * The shortcut of a block that changes shape. Every type makes ⌈height / stride⌉ × ⌈width / stride⌉ pixels, as the strided unit
 * beside it does; at an odd size the pool's last windows average the pixels they have.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function downsample(graph: GraphBuilder, x: Value, options: DownsampleOptions): Value {
  checkOptions('downsample', options, ['outChannels', 'stride', 'type', 'scale', 'name']);
  const { outChannels, type = 'real', scale = true, name = 'down' } = options;
  const stride = checkInteger('stride of downsample', options.stride ?? 2, 1, 1024);
  checkOneOf('type of downsample', type, TYPES);
  if (options.scale !== undefined && type !== 'binary')
    throw argumentError('type of downsample', '"binary", which has the option scale,', type);
  return graph.scope(name, () => {
    switch (type) {
      case 'real': {
        const pooled = poolUp(graph, x, stride);
        const conv = graph.conv(pooled, { name: '1', outChannels, kernel: 1, bias: false });
        return graph.batchNorm(conv, { name: '2' });
      }
      case 'strided': {
        const conv = graph.conv(x, { name: '0', outChannels, kernel: 1, stride, bias: false });
        return graph.batchNorm(conv, { name: '1' });
      }
      case 'binary': {
        const sum = graph.binaryConv(graph.sign(x), { name: 'conv', outChannels, kernel: 1, stride, scale });
        return graph.batchNorm(sum, { name: 'bn' });
      }
    }
  });
}

/** The padding after the last row and column that makes ⌈size / stride⌉ windows of stride × stride. */
export function paddingUp({ shape: { height, width } }: Value, stride: number): Padding {
  const missing = (size: number) => (stride - (size % stride)) % stride;
  return [0, 0, missing(height), missing(width)];
}

/** The average pool `0` of stride × stride windows; those over the edge average the pixels they have. Nothing at stride 1. */
export function poolUp(graph: GraphBuilder, x: Value, stride: number): Value {
  if (stride === 1) return x;
  const padding = paddingUp(x, stride);
  const countIncludePad = padding.every((size) => size === 0);
  return graph.avgPool(x, { name: '0', kernel: stride, padding, countIncludePad });
}

/** `x` itself where a block keeps its shape, else {@link downsample}. */
export function shortcut(
  graph: GraphBuilder,
  x: Value,
  options: DownsampleOptions & { readonly stride: number },
): Value {
  return options.stride === 1 && options.outChannels === x.shape.channels ? x : downsample(graph, x, options);
}
