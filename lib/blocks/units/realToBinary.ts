import type { GraphBuilder } from '../../graph/builder.js';
import type { Value } from '../../graph/types.js';
import type { Branch } from '../unit.js';
import { conv3x3 } from './conv.js';

/** Channels of the layer in the middle: an eighth of those that come in. */
const REDUCTION = 8;

/** σ(W₂·ReLU(W₁·GAP(x))) without biases, C → ⌊C/8⌋ → O: `0.weight` and `2.weight`. */
function gateOf(graph: GraphBuilder, x: Value, outFeatures: number): Value {
  const middle = Math.max(1, Math.floor(x.shape.channels / REDUCTION));
  const pooled = graph.globalAvgPool(x);
  const hidden = graph.relu(graph.linear(pooled, { name: '0', outFeatures: middle, bias: false }));
  return graph.sigmoid(graph.linear(hidden, { name: '2', outFeatures, bias: false }));
}

/**
 * Real-to-binary: h = BN(x); y = PReLU((s(h) ⊛ s(W)) · g), g = σ(W₂·ReLU(W₁·GAP(h))) for each channel of each image; no scales,
 * no BatchNorm after the conv. Source: Larq Zoo's `RealToBinaryNet`, to which the authors' page points.
 */
export const realToBinaryUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => {
    const normal = graph.batchNorm(x, { name: 'bn' });
    // Before the conv, which then multiplies while its sums are in registers.
    const gate = graph.scope('gate', () => gateOf(graph, normal, options.outChannels));
    const counts = conv3x3(graph, graph.sign(normal), options, { scale: false });
    return graph.prelu(graph.mul(counts, gate), { name: 'prelu' });
  });
