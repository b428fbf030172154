import { first, noAttrs, type OpDefinition } from './op.js';

/**
 * Mean over the channels of each pixel; the result has one channel. Sixteen sums of every sixteenth channel, in channel order,
 * are added pairwise: lanes l and l + 8, l + 4, l + 2, l + 1; then divided by C. After `abs` and before an average pool it
 * is XNOR-Net's K; after a globalAvgPool, the mean of a whole map.
 */
export const channelMean: OpDefinition<'channelMean'> = {
  op: 'channelMean',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: (_attrs, inputs) => ({ channels: 1, height: first(inputs).height, width: first(inputs).width }),
};
