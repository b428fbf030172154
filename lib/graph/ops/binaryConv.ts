import { checkOneOf } from '../../check.js';
import type { ValueType } from '../types.js';
import { booleanOption, first, type OpDefinition, shapeError } from './op.js';
import { CONV_OPTIONS, type ConvOptions, convAttrs, convMacs, convShape, perChannel, tapCount } from './window.js';

/** Options of {@link GraphBuilder.binaryConv}. */
export interface BinaryConvOptions extends ConvOptions {
  /** What a tap on padding counts as: 0 (default: it adds nothing); of a `bit` map also 1 or −1. */
  readonly padValue?: 0 | 1 | -1;
  /** True: the dot product is multiplied by the param `scale` [O]. Default false. */
  readonly scale?: boolean;
}

/** A dot product of K taps lies in [−K, K]: up to here each of these integers is a float32. */
export const MAX_BINARY_TAPS = 2 ** 24;
/** With padding that adds nothing, kernels meet integers up to 2K on the way. */
const MAX_PADDED_TAPS = 2 ** 23;

/** Convolution of ±1, {0, 1} or ternary activations by ±1: an exact integer for each output, written as float32. */
export const binaryConv: OpDefinition<'binaryConv'> = {
  op: 'binaryConv',
  arity: [1, 1],
  inputType: ['bit', 'bit01', 'ternary'],
  options: [...CONV_OPTIONS, 'padValue', 'scale'],
  attrs: (options, node) => ({
    ...convAttrs(options, node),
    padValue:
      options.padValue === undefined ? 0 : checkOneOf(`padValue of ${node}`, options.padValue, [0, 1, -1] as const),
    scale: booleanOption(node, 'scale', options.scale, false),
  }),
  shape(attrs, inputs, node) {
    const { type } = first(inputs);
    if (type !== 'bit' && attrs.padValue !== 0) {
      throw shapeError(
        node,
        `expected a padValue of 0, which a ${type} map has among its values, but received ${attrs.padValue}`,
      );
    }
    if (type === 'ternary' && attrs.groups > 1) {
      throw shapeError(node, `expected one group for a ternary map but received ${attrs.groups}`);
    }
    const output = convShape(attrs, first(inputs), node);
    const taps = tapCount(attrs, first(inputs)) * planes(type);
    const padded = attrs.padValue === 0 && attrs.padding.some((pixels) => pixels > 0);
    if (taps > (padded ? MAX_PADDED_TAPS : MAX_BINARY_TAPS)) {
      const most = padded ? '2²³ taps where padding counts as 0' : '2²⁴ taps';
      throw shapeError(node, `expected at most ${most} (kernel × channels / groups) but received ${taps}`);
    }
    return output;
  },
  params: ({ outChannels, kernel, groups, scale }, inputs) => ({
    bits: { type: 'bits', shape: [outChannels, ...kernel, first(inputs).channels / groups] },
    ...(scale ? { scale: perChannel(outChannels) } : {}),
  }),
  cost: (attrs, inputs, output) => ({
    binaryMacs: convMacs(attrs, first(inputs), output) * planes(first(inputs).type),
    realMacs: 0,
  }),
};

/** Bits of an activation. */
const planes = (type: ValueType) => (type === 'ternary' ? 2 : 1);
