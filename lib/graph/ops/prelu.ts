import { first, floats, noAttrs, type OpDefinition, sameShape } from './op.js';

/** y = x · weight[c] for x < 0, else x. */
export const prelu: OpDefinition<'prelu'> = {
  op: 'prelu',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
  params: (_attrs, inputs) => ({ weight: floats(first(inputs).channels) }),
};
