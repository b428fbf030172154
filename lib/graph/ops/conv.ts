import { booleanOption, first, floats, type OpDefinition } from './op.js';
import { CONV_OPTIONS, type ConvOptions, convAttrs, convMacs, realConvShape } from './window.js';

/** Options of {@link GraphBuilder.conv}. */
export interface RealConvOptions extends ConvOptions {
  /** Adds the param `bias` [O]. Default true, as in PyTorch. */
  readonly bias?: boolean;
}

/** Real-valued convolution with zero padding. */
export const conv: OpDefinition<'conv'> = {
  op: 'conv',
  arity: [1, 1],
  inputType: 'float32',
  options: [...CONV_OPTIONS, 'bias'],
  attrs: (options, node) => ({
    ...convAttrs(options, node),
    bias: booleanOption(node, 'bias', options.bias, true),
  }),
  shape: (attrs, inputs, node) => realConvShape(attrs, first(inputs), node),
  params: ({ outChannels, kernel, groups, bias }, inputs) => ({
    weight: floats(outChannels, first(inputs).channels / groups, ...kernel),
    ...(bias ? { bias: floats(outChannels) } : {}),
  }),
  cost: (attrs, inputs, output) => ({ binaryMacs: 0, realMacs: convMacs(attrs, first(inputs), output) }),
};
