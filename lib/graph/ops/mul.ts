import { broadcastShape, noAttrs, type OpDefinition } from './op.js';

/** a · b: gates (b is C×1×1), maps of factors (1×H×W), or two maps of one shape. */
export const mul: OpDefinition<'mul'> = {
  op: 'mul',
  arity: [2, 2],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: broadcastShape,
};
