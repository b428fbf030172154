import { first, floats, noAttrs, type OpDefinition, sameShape } from './op.js';

/**
 * XNOR-Net++'s output scale Γ = α ⊗ β ⊗ γ, one factor for each channel, row and column: y = (x · alpha[c]) · (beta[y] · gamma[x]),
 * each product rounded. A network with it takes pictures of one size.
 */
export const rank1Scale: OpDefinition<'rank1Scale'> = {
  op: 'rank1Scale',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
  params(_attrs, inputs) {
    const { channels, height, width } = first(inputs);
    return { alpha: floats(channels), beta: floats(height), gamma: floats(width) };
  },
};
