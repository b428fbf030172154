import type { Branch } from '../unit.js';
import { conv3x3 } from './conv.js';

/**
 * TBN: y = (t(BN(x)) ⊛ s(W)) · α, t(v) = [v ≥ Δ] − [v ≤ −Δ]. Δ is one number a layer there; here, as all thresholds, one a
 * channel, which may be equal. A scale of the activations (2Δ in the second version) belongs into α.
 */
export const ternaryUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => {
    const trits = graph.ternary(graph.batchNorm(x, { name: 'bn' }), { name: 'ternary' });
    return conv3x3(graph, trits, options, { scale: true });
  });
