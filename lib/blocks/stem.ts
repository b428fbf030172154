import { checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';

export interface StemOptions {
  readonly outChannels: number;
  /** ReLU before the pool. Default false: the 1-bit ResNets have none. */
  readonly relu?: boolean;
  /** Names of the conv and its BatchNorm. */
  readonly convName?: string;
  readonly normName?: string;
}

/** The full-precision stem: 7×7 conv, stride 2 → BatchNorm → (ReLU) → 3×3 max pool, stride 2. */
export function stem(graph: GraphBuilder, x: Value, options: StemOptions): Value {
  checkOptions('stem', options, ['outChannels', 'relu', 'convName', 'normName']);
  const { outChannels, relu = false, convName = 'stem.0', normName = 'stem.1' } = options;
  const conv = graph.conv(x, { name: convName, outChannels, kernel: 7, stride: 2, padding: 3, bias: false });
  const normal = graph.batchNorm(conv, { name: normName });
  const active = relu ? graph.relu(normal, { name: 'stem.relu' }) : normal;
  return graph.maxPool(active, { name: 'stem.pool', kernel: 3, stride: 2, padding: 1 });
}
