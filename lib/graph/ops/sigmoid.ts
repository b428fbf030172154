import { noAttrs, type OpDefinition, sameShape } from './op.js';

/** The logistic function 1 / (1 + e^−x), within 2⁻²² of it; NaN stays. `native/kernels/table.h` has the operations, which are the same on every machine. */
export const sigmoid: OpDefinition<'sigmoid'> = {
  op: 'sigmoid',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: sameShape,
};
