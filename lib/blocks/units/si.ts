import type { Branch } from '../unit.js';
import { conv3x3 } from './conv.js';

/**
 * Si-BNN: y = BN'(h(BN(x)) ⊛ α·s(W)), h(v) = [v ≥ 0] in {0, 1}. The method learns a shift b and a factor m for each channel
 * between BatchNorm and h, [(BN(x) − b)·m > 0]; both belong into the first BatchNorm, m's sign into that of its weight.
 */
export const siUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => {
    const bits = graph.heaviside(graph.batchNorm(x, { name: 'norm' }));
    return graph.batchNorm(conv3x3(graph, bits, options, { scale: true }), { name: 'bn' });
  });
