import { first, formatShape, noAttrs, type OpDefinition, shapeError } from './op.js';

/** Element-wise sum of two maps of equal shape. */
export const add: OpDefinition<'add'> = {
  op: 'add',
  arity: [2, 2],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape(_attrs, inputs, node) {
    const [a, b] = inputs.map(formatShape);
    if (a !== b) throw shapeError(node, `expected two maps of equal shape but received ${a} and ${b}`);
    return first(inputs);
  },
};
