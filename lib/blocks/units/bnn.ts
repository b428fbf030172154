import type { AfterAdd, Branch } from '../unit.js';
import { conv3x3 } from './conv.js';

const normAndClip: AfterAdd = (graph, y, { name }) =>
  graph.scope(name, () => graph.hardtanh(graph.batchNorm(y, { name: 'bn' })));

/**
 * BNN: z = s(x) ⊛ s(W), without scales; y = hardtanh(BN(z + shortcut)). The shortcut is added to the counts, before the
 * BatchNorm. Source: the residual network of BinaryNet, as CI-BCNN's code keeps it.
 */
export const bnnUnit = {
  branch: ((graph, x, options) =>
    graph.scope(options.name, () => conv3x3(graph, graph.sign(x), options, { scale: false }))) as Branch,
  after: normAndClip,
};

/** BNN's unit with CI-BCNN's interaction on the counts: y = hardtanh(BN(I(s(x) ⊛ s(W)) + shortcut)). See {@link ciUnit}. */
export const ciBnnUnit = {
  branch: ((graph, x, options) => graph.scope(options.name, () => interactingCounts(graph, x, options))) as Branch,
  after: normAndClip,
};

/** I(s(x) ⊛ s(W)). */
const interactingCounts: Branch = (graph, x, options) => {
  const counts = conv3x3(graph, graph.sign(x), options, { scale: false });
  return graph.channelInteraction(counts, { name: 'interaction', pairs: options.outChannels });
};

/**
 * CI-BCNN on Bi-Real's unit: y = BN(I(s(x) ⊛ s(W))), I being `channelInteraction` on the conv's integers with the threshold
 * 200 and the step 100 of the published code. How many pairs interact is learnt, and not published for ImageNet; we take one
 * for each output channel.
 */
export const ciUnit: Branch = (graph, x, options) =>
  graph.scope(options.name, () => graph.batchNorm(interactingCounts(graph, x, options), { name: 'bn' }));
