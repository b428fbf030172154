import type { Branch } from '../unit.js';
import { conv3x3 } from './conv.js';

/**
 * XNOR-Net: h = BN(x); y = ReLU((s(h) ⊛ s(W)) · α · K), K = box(mean_c |h|): the mean over channels, then over the conv's
 * window, zeros outside the map included. α is one factor a filter (the conv's `scale`), K one a pixel, made from each image.
 * Source: the paper's equation 11; K as in BMXNet-v2's scaled binary convolution (the official code leaves it out).
 */
export const xnorUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => {
    const normal = graph.batchNorm(x, { name: 'bn' });
    // Before the conv, which then multiplies while its sums are in registers.
    const magnitude = graph.channelMean(graph.abs(normal));
    const k = graph.avgPool(magnitude, { name: 'k', kernel: 3, stride: options.stride, padding: 1 });
    const dot = conv3x3(graph, graph.sign(normal), options, { scale: true });
    return graph.relu(graph.mul(dot, k));
  });

/**
 * XNOR-Net++: y = ReLU((s(BN(x)) ⊛ s(W)) · Γ), Γ = α ⊗ β ⊗ γ learnt: a factor for each channel, row and column. A network of it
 * takes pictures of one size. Source: the paper's rank-1 variant, as Larq Zoo's "learned rescale" layer has it.
 */
export const xnorNetPlusPlusUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => {
    const bits = graph.sign(graph.batchNorm(x, { name: 'bn' }));
    const dot = conv3x3(graph, bits, options, { scale: false });
    return graph.relu(graph.rank1Scale(dot, { name: 'gamma' }));
  });
