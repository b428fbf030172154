import {
  booleanOption,
  checkSize,
  first,
  floats,
  formatShape,
  integerOption,
  type NameOption,
  type OpDefinition,
  shapeError,
} from './op.js';

/** Options of {@link GraphBuilder.linear}. */
export interface LinearOptions extends NameOption {
  /** Outputs, O. */
  readonly outFeatures: number;
  /** Adds the param `bias` [O]. Default true, as in PyTorch. */
  readonly bias?: boolean;
}

/** The fully connected layer y = x·Wᵀ + b, on a 1×1 map. */
export const linear: OpDefinition<'linear'> = {
  op: 'linear',
  arity: [1, 1],
  inputType: 'float32',
  options: ['outFeatures', 'bias'],
  attrs: (options, node) => ({
    outFeatures: integerOption(node, 'outFeatures', options.outFeatures, 1),
    bias: booleanOption(node, 'bias', options.bias, true),
  }),
  shape({ outFeatures }, inputs, node) {
    const input = first(inputs);
    if (input.height !== 1 || input.width !== 1) {
      throw shapeError(node, `expected a 1×1 map (put a globalAvgPool before it) but received ${formatShape(input)}`);
    }
    checkSize(node, 'weights', [outFeatures, input.channels]);
    return { channels: outFeatures, height: 1, width: 1 };
  },
  params: ({ outFeatures, bias }, inputs) => ({
    weight: floats(outFeatures, first(inputs).channels),
    ...(bias ? { bias: floats(outFeatures) } : {}),
  }),
  cost: ({ outFeatures }, inputs) => ({ binaryMacs: 0, realMacs: outFeatures * first(inputs).channels }),
};
