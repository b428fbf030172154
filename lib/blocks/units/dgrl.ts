import { type Branch, binaryUnit } from '../unit.js';

/** Channels of the middle: an eighth of those that come in. */
const REDUCTION = 8;

/**
 * DGRL: Bi-Real's unit with a light full-precision branch beside it, y = BN(s(x) ⊛ W_b) + BN(W₂ * ReLU(BN(W₁ * x))), 1×1 convs
 * C → ⌊C/8⌋ → O `si.0`, `si.3`, the first with the unit's stride. The abstract has a "squeeze and interaction" branch with less
 * than 10 % more parameters, which complements what a block's map lacks of the full-precision one; the layers are our choice.
 */
export const dgrlUnit: Branch = (graph, x, options) => {
  const { name, outChannels, stride } = options;
  const y = binaryUnit(graph, x, options);
  const middle = Math.max(1, Math.floor(x.shape.channels / REDUCTION));
  return graph.scope(`${name}.si`, () => {
    const squeezed = graph.conv(x, { name: '0', outChannels: middle, kernel: 1, stride, bias: false });
    const active = graph.relu(graph.batchNorm(squeezed, { name: '1' }), { name: '2' });
    const interacted = graph.conv(active, { name: '3', outChannels, kernel: 1, bias: false });
    return graph.add(y, graph.batchNorm(interacted, { name: '4' }));
  });
};
