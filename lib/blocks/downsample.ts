import { checkInteger, checkOneOf, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Padding, Value } from '../graph/types.js';

/** `real`: full precision. `binary`: a 1-bit conv (rows marked # in the paper's Table 1). */
export type Downsampling = 'real' | 'binary';

export interface DownsampleOptions {
  readonly outChannels: number;
  /** Default 2. */
  readonly stride?: number;
  readonly type?: Downsampling;
  /** Default `down`. */
  readonly name?: string;
}

/**
 * The shortcut of a block that changes shape: average pool → 1×1 conv → BatchNorm, or Sign → 1×1 1-bit conv with stride →
 * BatchNorm. Either makes ⌈height / stride⌉ × ⌈width / stride⌉ pixels, as the strided unit beside it does; at an odd size
 * the pool's last windows average the pixels they have.
 */
export function downsample(graph: GraphBuilder, x: Value, options: DownsampleOptions): Value {
  checkOptions('downsample', options, ['outChannels', 'stride', 'type', 'name']);
  const { outChannels, type = 'real', name = 'down' } = options;
  const stride = checkInteger('stride of downsample', options.stride ?? 2, 1, 1024);
  checkOneOf('type of downsample', type, ['real', 'binary'] as const);
  return graph.scope(name, () => {
    if (type === 'binary') {
      const bits = graph.sign(x);
      const sum = graph.binaryConv(bits, { name: 'conv', outChannels, kernel: 1, stride, scale: true });
      return graph.batchNorm(sum, { name: 'bn' });
    }
    const conv = graph.conv(pool(graph, x, stride), { name: '1', outChannels, kernel: 1, bias: false });
    return graph.batchNorm(conv, { name: '2' });
  });
}

function pool(graph: GraphBuilder, x: Value, stride: number): Value {
  if (stride === 1) return x;
  const missing = (size: number) => (stride - (size % stride)) % stride;
  const padding: Padding = [0, 0, missing(x.shape.height), missing(x.shape.width)];
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
