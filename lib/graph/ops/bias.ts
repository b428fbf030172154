import { first, floats, noAttrs, type OpDefinition, sameShape } from './op.js';

/** y = x + bias[c]: the shifts of ReActNet's RPReLU. */
export const bias: OpDefinition<'bias'> = {
  op: 'bias',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
  params: (_attrs, inputs) => ({ bias: floats(first(inputs).channels) }),
};
