import { noAttrs, type OpDefinition, sameShape } from './op.js';

/** |x|: y = −x for x < 0, else x (so −0 stays −0, and NaN stays). */
export const abs: OpDefinition<'abs'> = {
  op: 'abs',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
};
