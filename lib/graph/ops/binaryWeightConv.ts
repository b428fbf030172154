import { booleanOption, first, type OpDefinition } from './op.js';
import { CONV_OPTIONS, type ConvOptions, convAttrs, convMacs, realConvShape, perChannel } from './window.js';

/** Options of {@link GraphBuilder.binaryWeightConv}. */
export interface BinaryWeightConvOptions extends ConvOptions {
  /** True: the sum is multiplied by the param `scale` [O]. Default false. */
  readonly scale?: boolean;
}

/**
 * Convolution of real numbers by ±1, padded with zeros: the downsampling of BN-free ReActNet. Weights take a bit each in the
 * model file; the products are real-valued additions, and cost as much.
 */
export const binaryWeightConv: OpDefinition<'binaryWeightConv'> = {
  op: 'binaryWeightConv',
  arity: [1, 1],
  inputType: 'float32',
  options: [...CONV_OPTIONS, 'scale'],
  attrs: (options, node) => ({
    ...convAttrs(options, node),
    scale: booleanOption(node, 'scale', options.scale, false),
  }),
  shape: (attrs, inputs, node) => realConvShape(attrs, first(inputs), node),
  params: ({ outChannels, kernel, groups, scale }, inputs) => ({
    bits: { type: 'bits', shape: [outChannels, ...kernel, first(inputs).channels / groups] },
    ...(scale ? { scale: perChannel(outChannels) } : {}),
  }),
  cost: (attrs, inputs, output) => ({ binaryMacs: 0, realMacs: convMacs(attrs, first(inputs), output) }),
};
