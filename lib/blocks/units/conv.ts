import type { GraphBuilder } from '../../graph/builder.js';
import type { Value } from '../../graph/types.js';
import type { UnitOptions } from '../unit.js';

/** The 3×3 1-bit conv `conv` of a unit, padded with zeros; `scale` gives it a factor for each filter, α. */
export function conv3x3(
  graph: GraphBuilder,
  bits: Value,
  { outChannels, stride }: UnitOptions,
  { scale }: { readonly scale: boolean },
): Value {
  return graph.binaryConv(bits, { name: 'conv', outChannels, kernel: 3, stride, padding: 1, scale });
}
