import { noAttrs, type OpDefinition, sameShape } from './op.js';

/** y = 0 for x < 0, else x; NaN stays. */
export const relu: OpDefinition<'relu'> = {
  op: 'relu',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
};
