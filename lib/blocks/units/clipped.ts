import { type AfterAdd, type Branch, binaryUnit } from '../unit.js';
import { conv3x3 } from './conv.js';

const clip: AfterAdd = (graph, y, { name }) => graph.scope(name, () => graph.hardtanh(y));

/**
 * IR-Net: y = clip(BN(s(x) ⊛ W_b) + shortcut, −1, 1). W_b = s((W − mean) / std) · 2^k: the balanced, standardised weights fold
 * into the bits, the power of two into α.
 */
export const irUnit = { branch: binaryUnit, after: clip };

/**
 * RBNN: y = clip(BN(s(x − m) ⊛ W_b) + shortcut, −1, 1), m the mean of all of x, over channels and pixels, of each image.
 * W_b = s(W') · α, where the rotations that make W' of W happen before inference.
 */
export const rbnnUnit = {
  branch: ((graph, x, options) =>
    graph.scope(options.name, () => {
      const mean = graph.channelMean(graph.globalAvgPool(x));
      const centred = graph.add(x, graph.scale(mean, { factor: -1 }));
      return graph.batchNorm(conv3x3(graph, graph.sign(centred), options, { scale: true }), { name: 'bn' });
    })) as Branch,
  after: clip,
};
