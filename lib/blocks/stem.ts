import { checkBoolean, checkOneOf, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';

/** Options of {@link stem}. */
export interface StemOptions {
  /** Channels of the output. */
  readonly outChannels: number;
  /** Before the pool. Default `none`, as in most 1-bit ResNets. */
  readonly activation?: StemActivation;
  /** Has the conv a BatchNorm? Default true. */
  readonly norm?: boolean;
  /** Name of the conv. Default `stem.0`. */
  readonly convName?: string;
  /** Name of its BatchNorm. Default `stem.1`. */
  readonly normName?: string;
}
/** What stands between the stem's BatchNorm and its pool. */
export type StemActivation = 'none' | 'relu' | 'prelu' | 'hardtanh';
const ACTIVATIONS: readonly StemActivation[] = ['none', 'relu', 'prelu', 'hardtanh'];

/**
 * The full-precision stem: 7×7 conv, stride 2 → (BatchNorm) → (activation) → 3×3 max pool, stride 2.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function stem(graph: GraphBuilder, x: Value, options: StemOptions): Value {
  checkOptions('stem', options, ['outChannels', 'activation', 'norm', 'convName', 'normName']);
  const { outChannels, activation = 'none', convName = 'stem.0', normName = 'stem.1' } = options;
  checkOneOf('activation of stem', activation, ACTIVATIONS);
  const hasNorm = checkBoolean('norm of stem', options.norm ?? true);
  const conv = graph.conv(x, { name: convName, outChannels, kernel: 7, stride: 2, padding: 3, bias: false });
  const normal = hasNorm ? graph.batchNorm(conv, { name: normName }) : conv;
  const active = activation === 'none' ? normal : graph[activation](normal, { name: `stem.${activation}` });
  return graph.maxPool(active, { name: 'stem.pool', kernel: 3, stride: 2, padding: 1 });
}
